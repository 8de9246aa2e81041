"""A picture, and over it how much each of its regions matters."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.images import DecodedImage, decode_apart

_LONGEST_SIDE = 512
_COLDEST_PEAK = 0.02
"""A map that peaks below is drawn as colder: nothing in the picture matters by itself."""
_COLORS = np.array(
    [
        (0, 0, 4),
        (40, 11, 84),
        (101, 21, 110),
        (159, 42, 99),
        (212, 72, 66),
        (245, 125, 21),
        (250, 193, 39),
        (252, 255, 164),
    ]
)
"""Matplotlib's "inferno", at equal steps: ever lighter, so that it is read without telling red
from green."""


def draw_heatmap(
    data: bytes,
    image: DecodedImage,
    grid: NDArray[np.float64],
    max_pixels: int,
    max_seconds: float,
) -> bytes:
    """Return a PNG of the picture in grey, upright and at most 512 pixels long, under its heat.

    Args:
        data: The bytes of the picture's file.
        image: What was decoded of it, for its size.
        grid: Shape (rows, columns): how much each region matters. Below 0 is drawn as 0.
        max_pixels: As `decode_image` takes it.
        max_seconds: As `decode_image` takes it.

    Raises:
        ImageError: As `decode_image` does.
    """
    size = _drawn_size(image)
    picture = Image.fromarray(decode_apart(data, size, max_pixels, max_seconds).pixels).convert("L")
    heat = _heat(grid, size)
    share = 0.35 + 0.3 * heat
    drawn = (1 - share) * np.asarray(picture)[..., None] + share * _colored(heat)
    file = io.BytesIO()
    Image.fromarray(drawn.round().astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def _drawn_size(image: DecodedImage) -> tuple[int, int]:
    scale = min(1, _LONGEST_SIDE / max(image.height, image.width))
    return max(1, round(scale * image.height)), max(1, round(scale * image.width))


def _heat(grid: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float32]:
    """Return the grid at `size`, 0 to 1; shape (height, width, 1)."""
    height, width = size
    shares = (grid / max(grid.max(), _COLDEST_PEAK)).clip(0, 1).astype(np.float32)
    smooth = Image.fromarray(shares).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(smooth).clip(0, 1)[..., None]


def _colored(heat: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return RGB, 0 to 255, for heat of shape (height, width, 1)."""
    place = heat[..., 0] * (len(_COLORS) - 1)
    steps = np.arange(len(_COLORS))
    return np.stack([np.interp(place, steps, channel) for channel in _COLORS.T], axis=-1)
