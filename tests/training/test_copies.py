from __future__ import annotations

import numpy as np

from training.copies import find_copies
from training.split import Split

SPLIT = Split(np.array([0, 2, 4, 5]), np.array([1, 3, 6]))


def test_copies_are_found_across_the_split_only() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 6, 6, 3), np.uint8)
    pixels[6] = pixels[2]
    pixels[4] = pixels[2]
    pixels[3] = pixels[1]  # both are validated on
    pixels[7] = pixels[0]  # which is in neither part

    assert find_copies(pixels, SPLIT) == {6: 2}


def test_pictures_that_share_a_row_are_no_copies() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 6, 6, 3), np.uint8)
    pixels[:, 1:] = pixels[0, 1:]

    assert find_copies(pixels, SPLIT) == {}
