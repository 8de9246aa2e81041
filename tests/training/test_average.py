from __future__ import annotations

import keras
import numpy as np
import pytest

from training.average import Average
from training.folding import fold_normalization
from training.model import build_alexnet
from training.recipe import BEST
from training.trainer import Trainer, build_trainer

PIXELS = np.random.default_rng(0).integers(0, 256, (4, 99, 99, 3), dtype=np.uint8)
TARGETS = np.eye(2, dtype=np.float32)[[0, 1, 0, 1]]


def dense(value: float) -> keras.Model:
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    network.set_weights([np.full((1, 1), value, np.float32)])
    return network


def test_an_average_starts_where_the_network_is_and_then_follows_it() -> None:
    average, network = Average(dense(100.0), decay=0.5), dense(1.0)

    values = []
    for weight in (1.0, 2.0, 2.0, 2.0):
        network.set_weights([np.full((1, 1), weight, np.float32)])
        average.follow(network)
        values.append(float(average.network.get_weights()[0][0, 0]))

    # 1/10, 2/11 and 3/12 of it stay: the decay of 0.5 is for later.
    expected = [1.0, 0.1 * 1 + 0.9 * 2]
    expected.append(2 / 11 * expected[-1] + 9 / 11 * 2)
    expected.append(3 / 12 * expected[-1] + 9 / 12 * 2)
    np.testing.assert_allclose(values, expected, rtol=1e-6)


def test_no_more_stays_than_the_decay() -> None:
    average, network = Average(dense(0.0), decay=0.5), dense(1.0)
    average.steps.assign(1000)

    average.follow(network)

    assert float(average.network.get_weights()[0][0, 0]) == 0.5


@pytest.fixture(scope="module")
def trainer() -> Trainer:
    recipe = BEST.override({"width": 1 / 32, "average": 0.9})
    trainer = build_trainer(recipe, classes=2, side=99, steps=10, policy="mixed_bfloat16")
    for _ in range(3):
        trainer.train_on_batch((PIXELS, TARGETS))
    return trainer


def test_the_average_is_validated_and_never_trained_itself(trainer: Trainer) -> None:
    answers, _ = trainer((PIXELS, TARGETS), training=False)
    averaged, latest = (
        network.predict_on_batch(PIXELS) for network in (trainer.average.network, trainer.network)
    )

    np.testing.assert_allclose(answers, averaged, atol=1e-2)
    assert np.any(np.abs(averaged - latest) > 1e-3)
    assert len(trainer.trainable_variables) == len(trainer.network.trainable_variables)
    statistics = [
        network.get_layer("norm_1").moving_variance.numpy()
        for network in (trainer.average.network, trainer.network)
    ]
    assert np.all(statistics[0] != 1)
    assert np.any(statistics[0] != statistics[1])


def test_the_average_is_what_folds(trainer: Trainer) -> None:
    exact = build_alexnet(2, side=99, width=1 / 32, normalize_all=True)
    exact.set_weights(trainer.average.network.get_weights())

    plain = fold_normalization(trainer.result)

    np.testing.assert_allclose(
        plain.predict_on_batch(PIXELS), exact.predict_on_batch(PIXELS), rtol=1e-3
    )
