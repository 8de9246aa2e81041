from __future__ import annotations

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from training.batches import Batches
from training.recipe import BEST
from training.trainer import Trainer, build_trainer, make_augmentation, reseed

PIXELS = np.random.default_rng(0).integers(0, 256, (8, 99, 99, 3), dtype=np.uint8)
CLASSES = np.array([0, 1] * 4, dtype=np.int32)
TARGETS = np.eye(2, dtype=np.float32)[CLASSES]
EVERYTHING = {
    "crop": 0.5,
    "resample": 0.5,
    "colour": 0.3,
    "erasing": 0.5,
    "mixup": 0.2,
    "cutmix": 1.0,
    "average": 0.9,
}


def make_trainer(**values: float) -> Trainer:
    recipe = BEST.override({"width": 1 / 32, **values})
    return build_trainer(recipe, classes=2, side=99, steps=10, policy="mixed_bfloat16")


@pytest.fixture(scope="module")
def trainer() -> Trainer:
    return make_trainer(**EVERYTHING)


def seen_in_training(trainer: Trainer, epoch: int) -> NDArray[np.float32]:
    reseed(trainer, seed=1, epoch=epoch)
    pictures = PIXELS
    for change in trainer.augmentation:
        pictures = change(pictures, training=True)
    pictures, targets = trainer.mixing(pictures, TARGETS, training=True)
    return np.concatenate([np.ravel(pictures), np.ravel(targets)])


def test_two_epochs_see_different_pixels(trainer: Trainer) -> None:
    assert np.any(seen_in_training(trainer, epoch=0) != seen_in_training(trainer, epoch=1))


def test_an_epoch_that_is_repeated_sees_the_same_pixels(trainer: Trainer) -> None:
    np.testing.assert_array_equal(
        seen_in_training(trainer, epoch=3), seen_in_training(trainer, epoch=3)
    )


def test_what_the_recipe_leaves_out_is_not_there() -> None:
    plain = make_trainer(crop=1.0, colour=0.0, erasing=0.0)

    assert [type(layer).__name__ for layer in plain.augmentation] == ["RandomAffine"]
    assert plain.mixing is plain.average is plain.lookup is None
    assert plain.result is plain.network


def test_the_recipes_values_reach_the_layers() -> None:
    affine, resample, colour, erasing = make_augmentation(BEST.override(EVERYTHING))

    assert (affine.rotation, affine.crop) == (BEST.rotation, 0.5)
    assert (resample.probability, colour.strength, erasing.probability) == (0.5, 0.3, 0.5)


def test_at_smaller_sides_smaller_parts_are_cut_out() -> None:
    recipe = BEST.override({"crop": 0.6})

    assert make_augmentation(recipe)[0].crop == 0.6
    # What is cut out of 227 pixels is enlarged as much at either side.
    assert make_augmentation(recipe, 131)[0].crop == pytest.approx(0.6 * 131**2 / 227**2)
    assert make_augmentation(recipe.override({"crop": 1.0}), 131)[0].crop == 1


def test_pictures_at_full_size_train_a_smaller_network() -> None:
    trainer = make_trainer(**EVERYTHING)
    pictures = np.repeat(np.repeat(PIXELS, 2, axis=1), 2, axis=2)
    batches = Batches(pictures, CLASSES, np.arange(8), class_count=2, batch_size=8)

    trained = trainer.fit(batches, verbose=0).history
    measured = trainer.evaluate(batches, verbose=0, return_dict=True)

    reduced = trainer.reduction(pictures)
    answers = trainer.result.predict_on_batch(reduced)
    expected = -np.log(answers[range(8), CLASSES]).mean()
    assert np.isfinite(trained["loss"]).all()
    assert measured["log_loss"] == pytest.approx(expected, rel=1e-5)


def test_validation_sees_the_original_pixels(trainer: Trainer) -> None:
    answers = trainer.result.predict_on_batch(PIXELS)

    measured = trainer.evaluate(
        Batches(PIXELS, CLASSES, np.arange(8), class_count=2, batch_size=8),
        verbose=0,
        return_dict=True,
    )

    expected = -np.log(answers[range(8), CLASSES]).mean()
    assert measured["log_loss"] == pytest.approx(expected, rel=1e-5)
    assert measured["accuracy"] == np.mean(answers.argmax(axis=1) == CLASSES)


def test_under_mixing_the_heavier_label_is_the_right_one(trainer: Trainer) -> None:
    answers = np.array([[0.9, 0.1], [0.9, 0.1]], np.float32)
    targets = np.array([[0.6, 0.4], [0.4, 0.6]], np.float32)
    trainer.reset_metrics()

    metrics = trainer.compute_metrics(None, None, (answers, targets))
    loss = trainer.compute_loss(y_pred=(answers, targets))

    assert float(metrics["accuracy"]) == 0.5
    smoothed = targets * (1 - BEST.label_smoothing) + BEST.label_smoothing / 2
    assert float(loss) == pytest.approx(-(smoothed * np.log(answers)).sum(axis=1).mean())


def test_the_learning_rate_rises_to_its_peak_and_falls_to_zero(trainer: Trainer) -> None:
    rates = []
    for step in range(11):
        trainer.optimizer.iterations.assign(step)
        rates.append(float(keras.ops.convert_to_numpy(trainer.optimizer.learning_rate)))
    trainer.optimizer.iterations.assign(0)

    assert rates[0] == pytest.approx(BEST.learning_rate * 0.04)
    assert max(rates) == rates[1] == pytest.approx(BEST.learning_rate)
    assert rates[1:] == sorted(rates[1:], reverse=True)
    assert rates[10] == pytest.approx(0, abs=1e-9)
