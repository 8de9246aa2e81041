from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from tests.training.noise import augment, noise
from training.augmentation import Augmentation, RandomAffine
from training.colour import RandomColour
from training.erasing import RandomErasing
from training.resample import RandomResample

ALL = (
    RandomAffine(rotation=15, shear=0.1, zoom=0.2, shift=0.1, flip=True, crop=0.5, seed=7),
    RandomResample(0.7, seed=7),
    RandomColour(0.3, seed=7),
    RandomErasing(0.9, seed=7),
)
EACH = pytest.mark.parametrize("layer", ALL, ids=lambda layer: type(layer).__name__)


@EACH
def test_pictures_pass_untouched_outside_training(layer: Augmentation) -> None:
    np.testing.assert_array_equal(layer(noise(), training=False), noise())


@EACH
def test_two_calls_and_two_pictures_see_different_pixels(layer: Augmentation) -> None:
    same = np.repeat(noise(1), 8, axis=0)

    first, second = augment(layer, same), augment(layer, same)

    assert first.dtype == np.uint8
    assert first.shape == same.shape
    assert len(np.unique(first, axis=0)) > 4
    assert np.any(first != second)


@EACH
def test_pictures_need_not_be_square(layer: Augmentation) -> None:
    assert augment(layer, noise()[:, :20]).shape == (4, 20, 32, 3)


def test_nothing_asked_changes_nothing() -> None:
    np.testing.assert_array_equal(augment(RandomAffine(seed=0), noise()), noise())


def test_pictures_come_out_at_the_side_that_is_asked_for() -> None:
    ramp = np.tile(np.linspace(0, 240, 41, dtype=np.uint8)[None, :, None], (2, 41, 1, 3))

    layer = RandomAffine(side=11, seed=0)

    np.testing.assert_allclose(augment(layer, ramp)[0, 0, :, 0], np.linspace(0, 240, 11), atol=1)
    assert layer.compute_output_shape((2, 41, 41, 3)) == (2, 11, 11, 3)
    assert augment(layer, ramp).shape == (2, 11, 11, 3)


def test_flips_mirror_about_half_of_the_pictures() -> None:
    pixels = noise(64, side=8)

    flipped = augment(RandomAffine(flip=True, seed=0), pixels)

    as_they_were = np.all(flipped == pixels, axis=(1, 2, 3))
    mirrored = np.all(flipped == pixels[:, :, ::-1], axis=(1, 2, 3))
    assert np.all(as_they_were ^ mirrored)
    assert 16 < np.count_nonzero(mirrored) < 48


def test_shifts_stay_within_their_limit_and_repeat_the_edge() -> None:
    pixels = np.zeros((32, 41, 41, 3), np.uint8)
    pixels[:, 20, 20] = 255

    shifted = augment(RandomAffine(shift=0.1, seed=0), pixels)[..., 0].astype(float)

    offsets = [np.array(np.unravel_index(one.argmax(), one.shape)) - 20 for one in shifted]
    assert 2 <= np.abs(offsets).max() <= 4
    assert np.ptp(offsets) > 2


def test_rotation_turns_about_the_centre_within_its_limit() -> None:
    pixels = np.zeros((32, 41, 41, 3), np.uint8)
    pixels[:, 20, 38] = 255

    turned = augment(RandomAffine(rotation=15, seed=0), pixels)[..., 0]

    rows, columns = np.array([np.unravel_index(one.argmax(), one.shape) for one in turned]).T
    angles = np.degrees(np.arctan2(rows - 20, columns - 20))
    assert np.abs(angles).max() < 15 + 3
    assert np.ptp(angles) > 15
    np.testing.assert_allclose(np.hypot(rows - 20, columns - 20), 18, atol=1.5)


@pytest.mark.parametrize("zoom", [0.2, 0.4])
def test_zoom_scales_by_no_more_than_its_limit(zoom: float) -> None:
    pixels = np.zeros((32, 41, 41, 3), np.uint8)
    pixels[:, 10:31, 10:31] = 255

    zoomed = augment(RandomAffine(zoom=zoom, seed=0), pixels)[:, 20, :, 0]

    widths = np.count_nonzero(zoomed > 127, axis=1)
    assert widths.min() >= 21 / (1 + zoom) - 2
    assert widths.max() <= 21 / (1 - zoom) + 2
    assert np.ptp(widths) > 21 * zoom


def test_crops_enlarge_a_window_of_the_picture() -> None:
    rows, columns = np.mgrid[:101, :101].astype(np.uint8)
    pixels = np.repeat(np.stack([rows, columns, rows], axis=-1)[None], 64, axis=0)

    cropped = augment(RandomAffine(crop=0.25, seed=0), pixels).astype(float)

    heights, widths = np.ptp(cropped[..., 0], axis=(1, 2)), np.ptp(cropped[..., 1], axis=(1, 2))
    areas, aspects = heights * widths / 100**2, widths / heights
    assert 0.25 - 0.02 < areas.min() < 0.4
    assert 0.75 < areas.max() <= 1
    assert 3 / 4 - 0.02 < aspects.min() < 0.85
    assert 1.15 < aspects.max() < 4 / 3 + 0.02
    tops = cropped[..., 0].min(axis=(1, 2)) / (100 - heights + 1e-9)
    assert tops.min() < 0.2
    assert tops.max() > 0.8


@EACH
def test_a_layer_survives_a_save(layer: Augmentation, tmp_path: Path) -> None:
    network = keras.Sequential([keras.Input((32, 32, 3), dtype="uint8"), layer])

    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras").layers[0]

    assert loaded.get_config() == layer.get_config()
