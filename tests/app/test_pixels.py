from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from app.pixels import pixels_of

SIZES = [(100, 75), (33, 400), (400, 300), (799, 601)]


def colorful(mode: str) -> Image.Image:
    random = np.random.default_rng(1)
    image = Image.fromarray(random.integers(0, 256, (300, 400, 4), dtype=np.uint8))
    if mode == "I;16":
        return Image.fromarray(random.integers(0, 65536, (300, 400), dtype=np.uint16))
    if mode == "P":
        palette = image.convert("RGB").quantize(16)
        palette.info["transparency"] = 3
        return palette
    return image if mode == "RGBA" else image.convert(mode)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "I;16", "I", "F"])
@pytest.mark.parametrize("size", SIZES)
def test_bands_make_no_difference(
    monkeypatch: pytest.MonkeyPatch, mode: str, size: tuple[int, int]
) -> None:
    whole = pixels_of(colorful(mode), size)
    monkeypatch.setattr("app.pixels._BAND_PIXELS", 400 * 7)

    np.testing.assert_array_equal(pixels_of(colorful(mode), size), whole)
    assert whole.shape == (*size, 3)


@pytest.mark.parametrize("size", SIZES)
def test_reducing_is_pillows(size: tuple[int, int]) -> None:
    resized = colorful("RGB").resize(size[::-1], Image.Resampling.BILINEAR, reducing_gap=2.0)

    np.testing.assert_array_equal(pixels_of(colorful("RGB"), size), np.asarray(resized))


def test_no_band_is_higher_than_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.pixels._BAND_PIXELS", 10)
    wide, high = Image.new("L", (3000, 2), 100), Image.new("L", (2, 3000), 100)

    for image in (wide, high):
        assert np.unique(pixels_of(image, (20, 20))).tolist() == [100]
