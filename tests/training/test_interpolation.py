from __future__ import annotations

import numpy as np
import pytest

from training.interpolation import bilinear_matrix


@pytest.mark.parametrize(("old", "new"), [(227, 131), (3, 6), (6, 3), (5, 5)])
def test_every_pixel_is_a_weighted_mean(old: int, new: int) -> None:
    matrix = bilinear_matrix(old, new)

    assert matrix.shape == (new, old)
    assert matrix.dtype == np.float32
    assert matrix.min() >= 0
    np.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=1e-5)


def test_a_straight_line_stays_straight() -> None:
    line = np.arange(60, dtype=np.float32)

    assert bilinear_matrix(60, 20)[2:-2] @ line == pytest.approx(np.arange(2, 18) * 3 + 1)
