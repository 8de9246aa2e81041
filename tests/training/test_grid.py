from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.training.pictures import size_of
from training.grid import Tile, save_grid


def test_pictures_are_drawn(tmp_path: Path) -> None:
    red = np.zeros((40, 40, 3), np.uint8)
    red[..., 0] = 250

    save_grid(tmp_path / "grid.png", [Tile(red, "red")])

    with Image.open(tmp_path / "grid.png") as grid:
        drawn = np.asarray(grid.convert("RGB"))
    assert np.count_nonzero(np.all(drawn == (250, 0, 0), axis=-1)) > 10_000


@pytest.mark.parametrize(("count", "rows"), [(0, 1), (1, 1), (5, 1), (6, 2), (20, 4)])
def test_five_to_a_row(tmp_path: Path, count: int, rows: int) -> None:
    save_grid(tmp_path / "grid.png", [Tile(np.zeros((9, 9, 3), np.uint8), "?")] * count)

    width, height = size_of(tmp_path / "grid.png")
    assert round(5 * height / width * 2.2 / 2.5) == rows
