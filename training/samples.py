"""The command `samples`: pictures of the data, and of what augmentation makes of them."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from training.data import load_dataset
from training.grid import Tile, save_grid
from training.model import FULL_SIDE
from training.recipe import Recipe
from training.source import open_source
from training.trainer import make_augmentation

_SHOWN = 20


def samples(data: Path, recipe: Recipe, output: Path, *, cache: Path) -> None:
    """Write `samples.png`, random pictures with their labels, and `augmented.png`.

    The latter shows one of them as it is, then as a network may see it in training.

    Raises:
        DataError: The pictures cannot be used.
    """
    with open_source(data, training_only=True) as source:
        dataset = load_dataset(source, FULL_SIDE, cache)
    random = np.random.default_rng(recipe.seed)
    chosen = random.permutation(len(dataset))[:_SHOWN]
    save_grid(
        output / "samples.png",
        [Tile(dataset.pixels[one], dataset.file_labels[one] or "no label") for one in chosen],
    )
    original = np.asarray(dataset.pixels[chosen[0]])
    copies = np.repeat(original[None], _SHOWN - 1, axis=0)
    for change in make_augmentation(recipe):
        copies = change(copies, training=True)
    augmented = keras.ops.convert_to_numpy(copies)
    tiles = [Tile(picture, f"augmented {number}") for number, picture in enumerate(augmented, 1)]
    save_grid(output / "augmented.png", [Tile(original, "original"), *tiles])
