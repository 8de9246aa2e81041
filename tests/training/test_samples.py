from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.images import decode_image
from tests.training.pictures import CAT, DOG, kaggle_files, write_zip
from training.grid import Tile
from training.recipe import BEST
from training.samples import samples


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Tile]]:
    """The tiles of each picture, none of which is drawn."""
    grids: dict[str, list[Tile]] = {}
    monkeypatch.setattr(
        "training.samples.save_grid", lambda path, tiles: grids.update({path.name: tiles})
    )
    return grids


def test_pictures_are_shown_with_their_labels_and_as_a_network_sees_them(
    drawn: dict[str, list[Tile]], tmp_path: Path
) -> None:
    archive = write_zip(tmp_path / "train.zip", kaggle_files(3))

    samples(archive, BEST, tmp_path, cache=tmp_path / "cache")

    pictures = {
        label: decode_image(data, (227, 227)).pixels for label, data in (("cat", CAT), ("dog", DOG))
    }
    assert sorted(tile.caption for tile in drawn["samples.png"]) == ["cat"] * 3 + ["dog"] * 3
    for tile in drawn["samples.png"]:
        np.testing.assert_array_equal(tile.pixels, pictures[tile.caption])
    original, *augmented = drawn["augmented.png"]
    assert original.caption == "original"
    np.testing.assert_array_equal(original.pixels, drawn["samples.png"][0].pixels)
    assert len(augmented) == 19
    assert (
        len({tile.pixels.tobytes() for tile in augmented}) > 10
    )  # of one colour, two may be alike
