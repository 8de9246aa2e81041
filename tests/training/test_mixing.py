from __future__ import annotations

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from training.mixing import RandomMixing

# Picture i is of the one grey level 2 * i and of class i: what was mixed can be read off.
COUNT = 100
LEVELS = 2 * np.arange(COUNT)
PIXELS = (LEVELS[:, None, None, None] * np.ones((1, 20, 20, 3))).astype(np.uint8)
TARGETS = np.eye(COUNT, dtype=np.float32)


def mixed(layer: RandomMixing) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    pixels, targets = layer(PIXELS, TARGETS, training=True)
    return keras.ops.convert_to_numpy(pixels), keras.ops.convert_to_numpy(targets)


def is_pasted(pixels: NDArray[np.uint8]) -> bool:
    return bool(np.any(np.ptp(pixels, axis=(1, 2, 3)) > 0))


def test_nothing_is_mixed_outside_training() -> None:
    pixels, targets = RandomMixing(mixup=1.0, cutmix=1.0, seed=0)(PIXELS, TARGETS, training=False)

    np.testing.assert_array_equal(pixels, PIXELS)
    np.testing.assert_array_equal(targets, TARGETS)


@pytest.mark.parametrize("alphas", [{"mixup": 1.0}, {"cutmix": 1.0}], ids=str)
def test_targets_weigh_what_of_each_picture_is_there(alphas: dict[str, float]) -> None:
    pixels, targets = mixed(RandomMixing(**alphas, seed=0))

    assert pixels.dtype == np.uint8
    assert targets.dtype == np.float32
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-5)
    assert np.all(np.count_nonzero(targets, axis=1) <= 2)
    np.testing.assert_allclose(pixels.mean(axis=(1, 2, 3)), targets @ LEVELS, atol=0.5)
    assert np.ptp(targets.diagonal()) > 0.8


def test_mixup_blends_evenly_and_cutmix_pastes_a_rectangle() -> None:
    blended, _ = mixed(RandomMixing(mixup=1.0, seed=0))
    pasted, targets = mixed(RandomMixing(cutmix=1.0, seed=0))

    assert not is_pasted(blended)
    for number, (picture, target) in enumerate(zip(pasted[..., 0], targets, strict=True)):
        others = np.argwhere(picture != LEVELS[number])
        if len(others):
            assert np.prod(np.ptp(others, axis=0) + 1) == len(others)
            assert len(others) / 400 == pytest.approx(1 - target[number], abs=1e-5)


def test_a_small_alpha_leaves_most_pictures_nearly_whole() -> None:
    shares = {}
    for alpha in (0.1, 5.0):
        _, targets = mixed(RandomMixing(mixup=alpha, seed=0))
        shares[alpha] = np.mean(targets.max(axis=1) > 0.9)

    assert shares[0.1] > 0.6
    assert shares[5.0] < 0.1


def test_both_take_turns_by_batch() -> None:
    layer = RandomMixing(mixup=1.0, cutmix=1.0, seed=0)

    kinds = [is_pasted(mixed(layer)[0]) for _ in range(20)]

    assert 3 < sum(kinds) < 17


def test_partners_change_from_batch_to_batch() -> None:
    layer = RandomMixing(mixup=1.0, seed=0)

    first, second = (np.argsort(mixed(layer)[1], axis=1)[:, -2:] for _ in range(2))

    assert np.any(first != second)
