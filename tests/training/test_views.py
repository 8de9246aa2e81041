from __future__ import annotations

import numpy as np
import pytest

from training.views import View, mirrored, sharpened, softened

EDGE = np.zeros((1, 8, 9, 3), np.uint8)
EDGE[:, :, 4:] = 200


def steepness(pixels: np.ndarray) -> int:
    return int(np.abs(np.diff(pixels[0, 4, :, 0].astype(int))).max())


def test_mirror_exchanges_left_and_right() -> None:
    np.testing.assert_array_equal(mirrored(EDGE)[0, :, 0], EDGE[0, :, -1])
    np.testing.assert_array_equal(mirrored(mirrored(EDGE)), EDGE)


def test_edges_become_softer_or_steeper() -> None:
    blurred = softened(EDGE)

    assert steepness(blurred) < steepness(EDGE)
    assert steepness(sharpened(blurred)) > steepness(blurred)


@pytest.mark.parametrize("view", [mirrored, softened, sharpened])
def test_shape_and_dtype_stay(view: View) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 11, 13, 3), np.uint8)

    assert view(pixels).shape == pixels.shape
    assert view(pixels).dtype == np.uint8
