"""Pictures as another camera, or another program, would have left them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter


class View(Protocol):
    """From uint8 pictures (n, side, side, 3) to as many of the same shape."""

    __name__: str

    def __call__(self, pixels: NDArray[np.uint8], /) -> NDArray[np.uint8]: ...


def mirrored(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Left and right exchanged."""
    return pixels[:, :, ::-1]


def softened(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Enlarged from half the side, as thumbnails are."""
    return _each(pixels, lambda image: image.resize(_half(image.size)).resize(image.size))


def sharpened(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """With edges as steep as those of pictures scaled down from many times the side."""
    return _each(pixels, lambda image: image.filter(ImageFilter.UnsharpMask(1.0, 100, 0)))


def _half(size: tuple[int, int]) -> tuple[int, int]:
    return size[0] // 2, size[1] // 2


def _each(
    pixels: NDArray[np.uint8], change: Callable[[Image.Image], Image.Image]
) -> NDArray[np.uint8]:
    return np.stack([np.asarray(change(Image.fromarray(picture))) for picture in pixels])
