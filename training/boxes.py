"""Rectangles in pictures, as masks."""

from __future__ import annotations

import keras
from keras import ops


def box_masks(
    centres: tuple[keras.KerasTensor, keras.KerasTensor],
    sizes: tuple[keras.KerasTensor, keras.KerasTensor],
    height: int,
    width: int,
) -> keras.KerasTensor:
    """Which pixels lie in a rectangle; what of it reaches beyond the picture is cut off.

    Args:
        centres: Down and right, as shares of height and width, each float32 `(n,)`.
        sizes: Heights and widths, likewise.
        height: Of the pictures, in pixels.
        width: Likewise.

    Returns:
        Booleans `(n, height, width, 1)`.
    """
    rows = _between(centres[0], sizes[0], height)
    columns = _between(centres[1], sizes[1], width)
    return ops.logical_and(rows[:, :, None, None], columns[:, None, :, None])


def _between(
    centres: keras.KerasTensor, sizes: keras.KerasTensor, length: int
) -> keras.KerasTensor:
    pixels = (ops.arange(length, dtype="float32") + 0.5) / length
    return ops.absolute(pixels - centres[:, None]) < sizes[:, None] / 2
