from __future__ import annotations

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from training.folding import fold_normalization
from training.model import build_alexnet
from training.unfolding import unfold_normalization

PIXELS = np.random.default_rng(0).integers(0, 256, (70, 99, 99, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def plain() -> keras.Model:
    """Folded, from normalizations that are far from doing nothing."""
    random = np.random.default_rng(0)
    keras.utils.set_random_seed(0)
    network = build_alexnet(2, side=99, width=1 / 32, normalize_all=True)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights(
                [random.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()]
            )
    return fold_normalization(network)


@pytest.fixture(scope="module")
def unfolded(plain: keras.Model) -> keras.Model:
    network = build_alexnet(2, side=99, width=1 / 32, normalize_all=True, dropout=0)
    unfold_normalization(plain, network, PIXELS)
    return network


def last_features(network: keras.Model, training: bool) -> NDArray[np.float32]:
    observed = keras.Model(network.input, network.layers[-1].input)
    return np.asarray(observed(PIXELS, training=training))


def test_an_unfolded_network_answers_the_same(plain: keras.Model, unfolded: keras.Model) -> None:
    np.testing.assert_allclose(
        last_features(unfolded, training=False),
        last_features(plain, training=False),
        rtol=1e-3,
        atol=1e-4,
    )


def test_folding_is_the_inverse(plain: keras.Model, unfolded: keras.Model) -> None:
    folded = fold_normalization(unfolded)

    for ours, theirs in zip(folded.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_statistics_are_those_of_the_pictures(unfolded: keras.Model) -> None:
    """Training takes a batch's own mean and variance in the place of those that were settled."""
    layers = [layer for layer in unfolded.layers if layer.name.endswith("_normalization")]
    observed = keras.Model(unfolded.input, [layer.input for layer in layers])

    for layer, batch in zip(layers, observed(PIXELS), strict=True):
        _, _, mean, variance = layer.get_weights()
        rows = np.asarray(batch, dtype=np.float64).reshape(-1, batch.shape[-1])
        np.testing.assert_allclose(mean, rows.mean(axis=0), rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(variance, rows.var(axis=0), rtol=1e-2, atol=1e-6)


def test_steps_turn_all_filters_alike(unfolded: keras.Model) -> None:
    kernel = unfolded.get_layer("convol_3").get_weights()[0]

    np.testing.assert_allclose(np.sqrt(np.square(kernel).mean(axis=(0, 1, 2))), 0.03, rtol=1e-3)


def test_a_filter_of_zeros_stays_one(plain: keras.Model) -> None:
    dead = keras.models.clone_model(plain)
    dead.set_weights(plain.get_weights())
    kernel, bias = dead.get_layer("convol_2").get_weights()
    kernel[..., 0] = 0
    dead.get_layer("convol_2").set_weights([kernel, bias])
    network = build_alexnet(2, side=99, width=1 / 32, normalize_all=True)

    unfold_normalization(dead, network, PIXELS)

    np.testing.assert_allclose(
        last_features(network, training=False),
        last_features(dead, training=False),
        rtol=1e-3,
        atol=1e-4,
    )


def test_a_network_that_stays_plain_takes_the_weights(plain: keras.Model) -> None:
    network = build_alexnet(2, side=99, width=1 / 32)

    unfold_normalization(plain, network, PIXELS[:0])

    for ours, theirs in zip(network.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
