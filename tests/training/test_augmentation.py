from __future__ import annotations

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from training.augmentation import RandomAffine


def noise(count: int = 4, side: int = 32) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def augment(layer: RandomAffine, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return keras.ops.convert_to_numpy(layer(pixels, training=True))


def test_pictures_pass_untouched_outside_training() -> None:
    layer = RandomAffine(rotation=15, shear=0.1, zoom=0.2, shift=0.1, flip=True, seed=0)

    np.testing.assert_array_equal(layer(noise(), training=False), noise())


def test_two_calls_and_two_pictures_see_different_pixels() -> None:
    layer = RandomAffine(rotation=15, shear=0.1, zoom=0.2, shift=0.1, flip=True, seed=0)
    same = np.repeat(noise(1), 2, axis=0)

    first, second = augment(layer, same), augment(layer, same)

    assert first.dtype == np.uint8
    assert first.shape == same.shape
    assert np.any(first[0] != first[1])
    assert np.any(first != second)


def test_nothing_asked_changes_nothing() -> None:
    np.testing.assert_array_equal(augment(RandomAffine(seed=0), noise()), noise())


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


def test_the_layer_survives_a_save(tmp_path_factory: pytest.TempPathFactory) -> None:
    layer = RandomAffine(rotation=15, shear=0.1, zoom=0.2, shift=0.1, flip=True, seed=7)
    network = keras.Sequential([keras.Input((32, 32, 3), dtype="uint8"), layer])
    path = tmp_path_factory.mktemp("augmentation") / "network.keras"

    network.save(path)
    loaded = keras.saving.load_model(path).layers[0]

    assert loaded.get_config() == layer.get_config()
