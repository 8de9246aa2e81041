from __future__ import annotations

import numpy as np

from tests.training.noise import augment, noise
from training.erasing import RandomErasing


def test_a_share_of_the_pictures_loses_one_rectangle_of_one_colour() -> None:
    pixels = noise(200)

    erased = augment(RandomErasing(0.5, seed=0), pixels)

    changed = np.any(erased != pixels, axis=-1)
    hit = np.any(changed, axis=(1, 2))
    assert 70 < np.count_nonzero(hit) < 130
    areas = []
    for before, after, where in zip(pixels[hit], erased[hit], changed[hit], strict=True):
        rows, columns = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
        box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert len(np.unique(after[box].reshape(-1, 3), axis=0)) == 1
        outside = np.ones_like(where)
        outside[box] = False
        np.testing.assert_array_equal(after[outside], before[outside])
        areas.append(after[box].size / after.size)
    assert min(areas) < 0.1
    assert 0.3 < max(areas) < 0.45
