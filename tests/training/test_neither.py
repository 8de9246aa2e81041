from __future__ import annotations

import numpy as np
import pytest

from training.neither import KINDS, draw_neither

SIDE = 64


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_differ_from_each_other_and_not_from_run_to_run(kind: str) -> None:
    pictures = draw_neither(kind, 12, SIDE)

    assert pictures.shape == (12, SIDE, SIDE, 3)
    assert pictures.dtype == np.uint8
    assert len(np.unique(pictures.reshape(12, -1), axis=0)) == 12
    np.testing.assert_array_equal(draw_neither(kind, 12, SIDE), pictures)
    assert not np.array_equal(draw_neither(kind, 12, SIDE, seed=1), pictures)


def test_plain_pictures_are_plain_and_the_others_are_not() -> None:
    spreads = {kind: draw_neither(kind, 5, SIDE).std(axis=(1, 2)).max(axis=1) for kind in KINDS}

    assert spreads.pop("plain colours").max() == 0
    assert all(spread.min() > 2 for spread in spreads.values())
