"""What `app.images` makes of every format, and of the variants that people have."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from app.images import FORMATS, decode_image
from tests.app.pictures import BLUE, GREEN, RED
from tests.app.pixels import SIZE, WHITE, YELLOW, assert_shows, every_pixel, file_of, quarters
from tests.app.png import png_file

QUARTERS = [RED, GREEN, BLUE, YELLOW]
LOSSY = ("JPEG", "WEBP", "AVIF", "HEIF")


@pytest.mark.parametrize("file_format", FORMATS)
def test_every_format_is_decoded(file_format: str) -> None:
    options = {"quality": 95} if file_format in LOSSY else {}
    decoded = decode_image(file_of(quarters(), file_format, **options), SIZE)

    assert decoded.pixels.shape == (48, 64, 3)
    assert (decoded.width, decoded.height, decoded.format) == (64, 48, file_format)
    assert_shows(decoded, QUARTERS)


@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("JPEG", {"progressive": True, "quality": 95}),
        ("JPEG", {"subsampling": "4:4:4", "quality": 95}),
        ("WEBP", {"lossless": True}),
        ("TIFF", {"compression": "packbits"}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "tiff_deflate"}),
        ("TIFF", {"compression": "jpeg", "quality": 95}),
        ("HEIF", {"quality": 95, "chroma": 444}),
    ],
)
def test_variants_of_a_format_are_decoded(file_format: str, options: dict[str, Any]) -> None:
    decoded = decode_image(file_of(quarters(), file_format, **options), SIZE)

    assert_shows(decoded, QUARTERS)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF"])
def test_grey_becomes_rgb(file_format: str) -> None:
    decoded = decode_image(file_of(Image.new("L", (64, 48), 100), file_format), SIZE)

    np.testing.assert_allclose(every_pixel(decoded), [100, 100, 100], atol=2)


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_cmyk_becomes_rgb(file_format: str) -> None:
    decoded = decode_image(file_of(quarters().convert("CMYK"), file_format), SIZE)

    assert_shows(decoded, QUARTERS)


@pytest.mark.parametrize("file_format", ["PNG", "GIF", "BMP", "TIFF"])
def test_palette_becomes_rgb(file_format: str) -> None:
    palette = quarters().convert("P", palette=Image.Palette.ADAPTIVE)

    assert_shows(decode_image(file_of(palette, file_format), SIZE), QUARTERS)


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "TIFF"])
def test_black_and_white_becomes_rgb(file_format: str) -> None:
    decoded = decode_image(file_of(Image.new("1", (64, 48), 1), file_format), SIZE)

    assert every_pixel(decoded).tolist() == [255, 255, 255]


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_transparent_parts_are_laid_on_white(file_format: str) -> None:
    image = quarters().convert("RGBA")
    image.paste((0, 0, 0, 0), (32, 0, 64, 48))
    options = {"quality": 95} if file_format in LOSSY else {}
    decoded = decode_image(file_of(image, file_format, **options), SIZE)

    assert_shows(decoded, [RED, WHITE, BLUE, WHITE])


@pytest.mark.parametrize("file_format", ["PNG", "GIF"])
def test_transparent_palette_entry_is_laid_on_white(file_format: str) -> None:
    image = quarters().convert("P", palette=Image.Palette.ADAPTIVE)
    transparent = image.getpixel((0, 0))
    decoded = decode_image(file_of(image, file_format, transparency=transparent), SIZE)

    assert_shows(decoded, [WHITE, GREEN, BLUE, YELLOW])


def test_grey_with_alpha_is_laid_on_white() -> None:
    decoded = decode_image(file_of(Image.new("LA", (64, 48), (0, 128)), "PNG"), SIZE)

    np.testing.assert_allclose(every_pixel(decoded), [127, 127, 127], atol=1)


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_to_eight(file_format: str) -> None:
    wide = np.full((48, 64), 100 * 256 + 77, np.uint16)
    decoded = decode_image(file_of(Image.fromarray(wide), file_format), SIZE)

    assert every_pixel(decoded).tolist() == [100, 100, 100]


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_png_of_any_depth_and_order_is_decoded(mode: str, dtype: type, interlaced: bool) -> None:
    pixels = np.asarray(quarters().convert(mode)).astype(dtype)
    if dtype is np.uint16:
        pixels = pixels * 256 + 77
    decoded = decode_image(png_file(pixels, interlaced=interlaced), SIZE)

    assert_shows(decoded, QUARTERS)


def test_interlaced_png_in_grey_is_decoded() -> None:
    pixels = np.asarray(quarters().convert("L"))[..., None]
    decoded = decode_image(png_file(pixels, interlaced=True), SIZE)

    np.testing.assert_array_equal(decoded.pixels, np.repeat(pixels, 3, axis=-1))


def test_inverted_cmyk_is_read_as_adobe_writes_it() -> None:
    data = file_of(quarters().convert("CMYK"), "JPEG", quality=95)
    marker = data.index(b"\xff\xee\x00\x0eAdobe")

    # Without the marker that tells of the inversion it is taken for granted, as browsers do.
    for each in (data, data[:marker] + data[marker + 16 :]):
        assert_shows(decode_image(each, SIZE), QUARTERS)


@pytest.mark.parametrize("file_format", ["GIF", "PNG", "WEBP", "TIFF", "AVIF", "HEIF", "MPO"])
def test_animation_shows_its_first_frame(file_format: str) -> None:
    frames = [Image.new("RGB", (64, 48), color) for color in (RED, BLUE, GREEN)]
    data = file_of(frames[0], file_format, save_all=True, append_images=frames[1:])
    decoded = decode_image(data, SIZE)

    assert_shows(decoded, [RED] * 4)


def test_animated_webp_with_a_transparent_first_frame_is_laid_on_white() -> None:
    frames = [
        Image.new("RGBA", (64, 48), (*color, alpha)) for color, alpha in ((RED, 0), (BLUE, 255))
    ]
    data = file_of(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)

    assert_shows(decode_image(data, SIZE), [WHITE] * 4)


def test_heic_of_ten_bits_is_scaled_to_eight() -> None:
    wide = np.asarray(quarters()).astype(np.uint16) * 256
    file = io.BytesIO()
    pillow_heif.from_bytes("RGB;16", (64, 48), wide.tobytes()).save(file, quality=95)

    assert_shows(decode_image(file.getvalue(), SIZE), QUARTERS)
