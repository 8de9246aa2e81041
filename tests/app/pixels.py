"""Pictures whose pixels are known, and what decoding leaves of them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.images import DecodedImage
from tests.app.pictures import BLUE, GREEN, RED

WHITE = (255, 255, 255)
YELLOW = (230, 230, 20)
SIZE = (48, 64)  # height and width


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
