from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.heatmap import draw_heatmap
from app.images import MAX_SECONDS, decode_image
from app.pillow import MAX_PIXELS
from tests.app.pictures import picture, sideways_picture


def drawn(data: bytes, grid: NDArray[np.float64]) -> Image.Image:
    image = decode_image(data, (8, 8))
    png = Image.open(io.BytesIO(draw_heatmap(data, image, grid, MAX_PIXELS, MAX_SECONDS)))
    assert (png.format, png.mode) == ("PNG", "RGB")
    return png


def hot_corner(heat: float) -> NDArray[np.float64]:
    grid = np.zeros((10, 10))
    grid[0, :2] = grid[1, :2] = heat
    return grid


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((64, 48), (64, 48)),
        ((1024, 768), (512, 384)),
        ((300, 600), (256, 512)),
        ((2000, 1), (512, 1)),
    ],
)
def test_picture_keeps_its_proportions(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert drawn(picture(size=size), hot_corner(0.3)).size == expected


def test_picture_is_upright() -> None:
    assert drawn(sideways_picture(), hot_corner(0.3)).size == (48, 64)


def test_picture_is_decoded_by_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    image = decode_image(picture(), (8, 8))
    monkeypatch.delattr("app.images.decode_here")

    assert draw_heatmap(picture(), image, hot_corner(0.3), MAX_PIXELS, MAX_SECONDS)


def test_what_matters_is_lighter_and_in_its_place() -> None:
    pixels = np.asarray(drawn(picture(size=(200, 100)), hot_corner(0.3)).convert("L"), int)

    assert pixels[4, 10] > pixels[4, 190] + 100
    assert pixels[4, 190] == pixels[95, 10] == pixels[95, 190]


@pytest.mark.parametrize("heat", [0.0, -0.5])
def test_where_nothing_matters_nothing_is_hot(heat: float) -> None:
    pixels = np.asarray(drawn(picture(), hot_corner(heat)))

    assert np.ptp(pixels.reshape(-1, 3), axis=0).max() <= 1


def test_little_heat_is_not_drawn_as_much() -> None:
    little, much = (
        np.asarray(drawn(picture(), hot_corner(heat)).convert("L"), int)[2, 2]
        for heat in (0.002, 0.2)
    )

    assert little < much - 50
