"""Pictures in a grid, each with a caption."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from training.plots import plain_text, save_figure

_COLUMNS = 5


class Tile(NamedTuple):
    """A picture and its caption."""

    pixels: NDArray[np.uint8]
    """Shape (height, width, 3)."""
    caption: str


@plain_text
def save_grid(path: Path, tiles: Sequence[Tile]) -> None:
    """Write a PNG of the tiles in rows of five; a sentence where there are none."""
    rows = max(1, -(-len(tiles) // _COLUMNS))
    figure = Figure(figsize=(2.2 * _COLUMNS, 2.5 * rows), layout="constrained")
    for axes in figure.subplots(rows, _COLUMNS).flat:
        axes.axis("off")
    for axes, tile in zip(figure.axes, tiles, strict=False):
        axes.imshow(tile.pixels)
        axes.set_title(tile.caption, fontsize=9)
    if not tiles:
        figure.text(0.5, 0.5, "no pictures", ha="center")
    save_figure(path, figure)
