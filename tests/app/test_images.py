from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.images import (
    FORMATS,
    BrokenImageError,
    DecodedImage,
    ImageTooLargeError,
    UnsupportedImageError,
    decode_image,
)
from tests.app.pictures import BLUE, RED, picture

WHITE = (255, 255, 255)
GREEN = (20, 230, 20)
YELLOW = (230, 230, 20)
SIZE = (48, 64)  # height and width
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How an upright picture is stored in a file with this EXIF orientation."""


def file_of(image: Image.Image, file_format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def quarters() -> Image.Image:
    """Return a picture, 64 wide and 48 high, with another color in every corner."""
    image = Image.new("RGB", (64, 48))
    for color, place in zip((RED, GREEN, BLUE, YELLOW), corners(32, 24), strict=True):
        image.paste(Image.new("RGB", (32, 24), color), place)
    return image


def corners(width: int, height: int) -> list[tuple[int, int]]:
    return [(0, 0), (width, 0), (0, height), (width, height)]


def noise() -> Image.Image:
    """Return a picture that hardly compresses, so that most of its file are pixels."""
    random = np.random.default_rng(1)
    return Image.fromarray(random.integers(0, 256, (48, 64, 3), dtype=np.uint8))


def assert_shows(decoded: DecodedImage, colors: list[tuple[int, int, int]]) -> None:
    """Hold the middles of the quarters, row by row, to four colors."""
    assert decoded.pixels.dtype == np.uint8
    height, width, _ = decoded.pixels.shape
    middles = [
        decoded.pixels[height // 4 + y, width // 4 + x] for x, y in corners(width // 2, height // 2)
    ]
    np.testing.assert_allclose(np.array(middles, int), colors, atol=12)


def every_pixel(decoded: DecodedImage) -> NDArray[np.int64]:
    """Return the color that all pixels have, within what a lossy format changes."""
    pixels = decoded.pixels.reshape(-1, 3).astype(np.int64)
    assert np.ptp(pixels, axis=0).max() <= 4
    return pixels[0]


@pytest.mark.parametrize("file_format", FORMATS)
def test_every_format_is_decoded(file_format: str) -> None:
    options = {"quality": 95} if file_format in ("JPEG", "WEBP", "AVIF") else {}
    decoded = decode_image(file_of(quarters(), file_format, **options), SIZE)

    assert decoded.pixels.shape == (48, 64, 3)
    assert (decoded.width, decoded.height, decoded.format) == (64, 48, file_format)
    assert_shows(decoded, [RED, GREEN, BLUE, YELLOW])


@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("JPEG", {"progressive": True, "quality": 95}),
        ("JPEG", {"subsampling": "4:4:4", "quality": 95}),
        ("WEBP", {"lossless": True}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "tiff_deflate"}),
    ],
)
def test_variants_of_a_format_are_decoded(file_format: str, options: dict[str, Any]) -> None:
    decoded = decode_image(file_of(quarters(), file_format, **options), SIZE)

    assert_shows(decoded, [RED, GREEN, BLUE, YELLOW])


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF"])
def test_grey_becomes_rgb(file_format: str) -> None:
    decoded = decode_image(file_of(Image.new("L", (64, 48), 100), file_format), SIZE)

    np.testing.assert_allclose(every_pixel(decoded), [100, 100, 100], atol=2)


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_cmyk_becomes_rgb(file_format: str) -> None:
    decoded = decode_image(file_of(quarters().convert("CMYK"), file_format), SIZE)

    assert_shows(decoded, [RED, GREEN, BLUE, YELLOW])


@pytest.mark.parametrize("file_format", ["PNG", "GIF", "BMP", "TIFF"])
def test_palette_becomes_rgb(file_format: str) -> None:
    palette = quarters().convert("P", palette=Image.Palette.ADAPTIVE)

    assert_shows(decode_image(file_of(palette, file_format), SIZE), [RED, GREEN, BLUE, YELLOW])


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "TIFF"])
def test_black_and_white_becomes_rgb(file_format: str) -> None:
    decoded = decode_image(file_of(Image.new("1", (64, 48), 1), file_format), SIZE)

    assert every_pixel(decoded).tolist() == [255, 255, 255]


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF", "AVIF"])
def test_transparent_parts_are_laid_on_white(file_format: str) -> None:
    image = quarters().convert("RGBA")
    image.paste((0, 0, 0, 0), (32, 0, 64, 48))
    options = {"quality": 95} if file_format in ("WEBP", "AVIF") else {}
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


@pytest.mark.parametrize("file_format", ["GIF", "PNG", "WEBP", "TIFF"])
def test_animation_shows_its_first_frame(file_format: str) -> None:
    frames = [Image.new("RGB", (64, 48), color) for color in (RED, BLUE, GREEN)]
    options = {"lossless": True} if file_format == "WEBP" else {}
    data = file_of(frames[0], file_format, save_all=True, append_images=frames[1:], **options)
    decoded = decode_image(data, SIZE)

    assert every_pixel(decoded).tolist() == list(RED)


@pytest.mark.parametrize("size", [(227, 227), (24, 100), (8, 8)])
def test_whole_picture_is_resized_to_any_proportions(size: tuple[int, int]) -> None:
    decoded = decode_image(file_of(quarters(), "PNG"), size)

    assert decoded.pixels.shape == (*size, 3)
    assert (decoded.width, decoded.height) == (64, 48)
    assert_shows(decoded, [RED, GREEN, BLUE, YELLOW])


def test_large_jpeg_is_reported_at_its_own_size() -> None:
    data = file_of(quarters().resize((640, 480)), "JPEG", quality=95)
    decoded = decode_image(data, SIZE)

    assert (decoded.width, decoded.height) == (640, 480)
    assert_shows(decoded, [RED, GREEN, BLUE, YELLOW])


@pytest.mark.parametrize(("side", "scale"), [(181, 1), (363, 1), (364, 2), (728, 4), (2000, 8)])
def test_large_jpeg_is_scaled_while_it_is_decoded(
    monkeypatch: pytest.MonkeyPatch, side: int, scale: int
) -> None:
    sizes: list[tuple[int, int]] = []
    resize = Image.Image.resize

    def watched(image: Image.Image, *arguments: Any, **options: Any) -> Image.Image:
        sizes.append(image.size)
        return resize(image, *arguments, **options)

    monkeypatch.setattr(Image.Image, "resize", watched)
    decode_image(file_of(Image.new("RGB", (side, side)), "JPEG"), (227, 227))

    assert sizes == [(-(-side // scale), -(-side // scale))]


@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
@pytest.mark.parametrize("side", [500, 1000, 2000])
def test_large_picture_is_antialiased(file_format: str, side: int) -> None:
    chequers = np.indices((side, side)).sum(axis=0) % 2 * 255
    options = {"quality": 95} if file_format == "JPEG" else {}
    data = file_of(Image.fromarray(chequers.astype(np.uint8)), file_format, **options)
    decoded = decode_image(data, (100, 100))

    assert abs(decoded.pixels.astype(int) - 127).max() <= 24


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_turns_the_picture_upright(file_format: str, orientation: int) -> None:
    transposition = STORED[orientation]
    image = quarters() if transposition is None else quarters().transpose(transposition)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 95} if file_format in ("JPEG", "WEBP") else {}
    decoded = decode_image(file_of(image, file_format, exif=exif, **options), SIZE)

    assert (decoded.width, decoded.height) == (64, 48)
    assert_shows(decoded, [RED, GREEN, BLUE, YELLOW])


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_meaningless_orientation_is_ignored(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = decode_image(file_of(quarters(), "JPEG", exif=exif, quality=95), SIZE)

    assert (decoded.width, decoded.height) == (64, 48)
    assert_shows(decoded, [RED, GREEN, BLUE, YELLOW])


@pytest.mark.parametrize("file_format", FORMATS)
def test_truncated_picture_is_refused(file_format: str) -> None:
    data = file_of(noise(), file_format)
    for length in range(0, int(0.95 * len(data)), len(data) // 40):
        with pytest.raises((BrokenImageError, UnsupportedImageError)):
            decode_image(data[:length], SIZE)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_half_a_picture_is_broken(file_format: str) -> None:
    data = file_of(noise(), file_format)

    with pytest.raises(BrokenImageError, match="from an intact file"):
        decode_image(data[: len(data) // 2], SIZE)


def test_damaged_pixels_are_broken() -> None:
    data = bytearray(file_of(noise(), "PNG"))
    data[len(data) // 2] ^= 0xFF

    with pytest.raises(BrokenImageError, match="PNG image is truncated or damaged"):
        decode_image(bytes(data), SIZE)


@pytest.mark.parametrize("file_format", FORMATS)
def test_too_many_pixels_are_refused(file_format: str) -> None:
    data = picture(RED, (64, 48), file_format)

    with pytest.raises(ImageTooLargeError, match="64 x 48 pixels; send one of at most 3071"):
        decode_image(data, SIZE, max_pixels=64 * 48 - 1)
    assert decode_image(data, SIZE, max_pixels=64 * 48).width == 64


def test_decompression_bomb_is_refused_by_its_header() -> None:
    data = bytearray(file_of(Image.new("1", (8, 8)), "BMP"))
    data[18:26] = (100_000).to_bytes(4, "little") * 2

    with pytest.raises(ImageTooLargeError, match="too large to be decoded"):
        decode_image(bytes(data), SIZE)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a cat, in words",
        b"\x00" * 1000,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        file_of(Image.new("RGB", (8, 8)), "PPM"),
        file_of(Image.new("RGB", (8, 8)), "ICO"),
    ],
    ids=["empty", "text", "zeros", "SVG", "PPM", "ICO"],
)
def test_anything_else_is_not_an_image(data: bytes) -> None:
    with pytest.raises(UnsupportedImageError, match="send one of JPEG, PNG"):
        decode_image(data, SIZE)
