"""Photographs, made here: JPEGs that take as long to decode as real ones."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image


class Kind(NamedTuple):
    """A size in which photographs are sent."""

    width: int
    height: int
    bytes: int
    """Of the file, approximately."""
    different: int
    """How many take turns."""


SMALL = Kind(500, 375, 50_000, 16)
PHONE = Kind(4000, 3000, 3_000_000, 4)


def photographs(kind: Kind) -> Iterator[bytes]:
    """Yield the JPEG files of `kind.different` photographs."""
    for seed in range(kind.different):
        yield jpeg_of_size(_photograph(kind.width, kind.height, seed), kind.bytes)


def _photograph(width: int, height: int, seed: int) -> Image.Image:
    """Sum up noise of every scale, the weaker the finer, as details are in photographs."""
    random = np.random.default_rng(seed)
    canvas = np.zeros((height, width, 3), np.float32)
    for octave in range(2, width.bit_length()):
        across = 2**octave
        noise = random.integers(0, 256, (max(2, across * height // width), across, 3), np.uint8)
        layer = Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)
        canvas += np.asarray(layer, np.float32) * 2.0 ** (-0.8 * octave)
    canvas -= canvas.min()
    return Image.fromarray((canvas * (255 / canvas.max())).astype(np.uint8))


def jpeg_of_size(image: Image.Image, size: int) -> bytes:
    """Return the JPEG file of the highest quality that has at most `size` bytes."""
    low, high = 1, 98
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if len(_jpeg(image, middle)) <= size else (low, middle - 1)
    return _jpeg(image, low)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()
