from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.confinement import Answer, Order
from app.images import (
    FORMATS,
    BrokenImageError,
    DecodedImage,
    ImageTooLargeError,
    UnsupportedImageError,
    decode_image,
)
from app.source import UnusualError
from tests.app.pictures import BLUE, GREEN, RED, picture
from tests.app.pixels import SIZE, YELLOW, assert_shows, file_of, noise, quarters

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
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF"])
def test_exif_turns_the_picture_upright(file_format: str, orientation: int) -> None:
    transposition = STORED[orientation]
    image = quarters() if transposition is None else quarters().transpose(transposition)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, Any] = {"quality": 95} if file_format in ("JPEG", "WEBP", "HEIF") else {}
    if file_format == "HEIF":
        image.info["exif"] = exif.tobytes()  # and as the format has it, as iPhones write it
    else:
        options["exif"] = exif
    decoded = decode_image(file_of(image, file_format, **options), SIZE)

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


def test_heic_larger_than_its_header_says_is_broken() -> None:
    data = file_of(Image.new("RGB", (512, 512)), "HEIF")
    size = struct.Struct(">2I")
    lying = data.replace(size.pack(512, 512), size.pack(64, 48))

    with pytest.raises(BrokenImageError, match="exceeds the maximum image size"):
        decode_image(lying, SIZE, max_pixels=64 * 48)


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


def test_who_decodes_what_is_unusual_has_the_time_that_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    orders: list[Order] = []

    def decode(_: bytes, order: Order) -> Answer:
        orders.append(order)
        return Answer({"width": 8, "height": 8, "format": "PNG"}, bytes(8 * 8 * 3))

    def decode_here(*_: object) -> DecodedImage:
        raise UnusualError

    monkeypatch.setattr("app.images.decode_confined", decode)
    monkeypatch.setattr("app.images.decode_here", decode_here)
    monkeypatch.setattr("app.images.Source.seconds_left", lambda _: 1.5)
    decode_image(picture(), (8, 8), max_seconds=4.0)
    decode_image(picture(file_format="TIFF"), (8, 8), max_seconds=4.0)

    assert [order.max_seconds for order in orders] == [1.5, 4.0]
