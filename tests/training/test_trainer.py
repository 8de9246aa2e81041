from __future__ import annotations

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from training.recipe import BEST
from training.trainer import build_trainer, network_of, reseed

PIXELS = np.random.default_rng(0).integers(0, 256, (4, 99, 99, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def trainer() -> keras.Model:
    recipe = BEST.override({"width": 1 / 32})
    return build_trainer(recipe, classes=2, side=99, steps=10, policy="float32")


def seen_in_training(trainer: keras.Model, epoch: int) -> NDArray[np.uint8]:
    reseed(trainer, seed=1, epoch=epoch)
    augmentation = trainer.get_layer("augmentation")
    return keras.ops.convert_to_numpy(augmentation(PIXELS, training=True))


def test_two_epochs_see_different_pixels(trainer: keras.Model) -> None:
    assert np.any(seen_in_training(trainer, epoch=0) != seen_in_training(trainer, epoch=1))


def test_an_epoch_that_is_repeated_sees_the_same_pixels(trainer: keras.Model) -> None:
    np.testing.assert_array_equal(
        seen_in_training(trainer, epoch=3), seen_in_training(trainer, epoch=3)
    )


def test_validation_sees_the_original_pixels(trainer: keras.Model) -> None:
    answers = network_of(trainer).predict_on_batch(PIXELS)

    np.testing.assert_allclose(trainer.predict_on_batch(PIXELS), answers, atol=1e-6)
    targets = np.eye(2, dtype=np.float32)[[0, 1, 0, 1]]
    measured = trainer.evaluate(PIXELS, targets, verbose=0, return_dict=True)
    expected = -np.log(answers[range(4), [0, 1, 0, 1]]).mean()
    assert measured["log_loss"] == pytest.approx(expected, rel=1e-5)


def test_the_learning_rate_rises_to_its_peak_and_falls_to_zero(trainer: keras.Model) -> None:
    rates = []
    for step in range(11):
        trainer.optimizer.iterations.assign(step)
        rates.append(float(keras.ops.convert_to_numpy(trainer.optimizer.learning_rate)))
    trainer.optimizer.iterations.assign(0)

    assert rates[0] == pytest.approx(BEST.learning_rate * 0.04)
    assert max(rates) == rates[1] == pytest.approx(BEST.learning_rate)
    assert rates[1:] == sorted(rates[1:], reverse=True)
    assert rates[10] == pytest.approx(0, abs=1e-9)
