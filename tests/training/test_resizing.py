from __future__ import annotations

import keras
import numpy as np

from training.model import build_alexnet
from training.recipe import BEST
from training.resizing import copy_training, copy_weights
from training.trainer import build_trainer


def test_everything_but_the_first_dense_kernel_is_copied() -> None:
    small, large = (build_alexnet(2, side=side, width=1 / 32) for side in (99, 227))

    copy_weights(small, large)

    for layer in small.layers:
        copied = large.get_layer(layer.name).get_weights()
        for old, new in zip(layer.get_weights(), copied, strict=True):
            if layer.name != "fulconnect_1" or old.ndim == 1:
                np.testing.assert_array_equal(new, old)


def test_a_constant_feature_map_excites_the_dense_layer_as_before() -> None:
    small, large = (build_alexnet(2, side=side, width=1 / 32) for side in (131, 227))
    copy_weights(small, large)

    old, new = (
        model.get_layer("fulconnect_1").kernel.numpy().reshape(side, side, 8, 128)
        for model, side in ((small, 3), (large, 6))
    )

    np.testing.assert_allclose(new.sum(axis=(0, 1)), old.sum(axis=(0, 1)), rtol=1e-3, atol=1e-5)


def test_what_looked_at_a_corner_still_does() -> None:
    small, large = (build_alexnet(2, side=side, width=1 / 32) for side in (99, 227))
    kernel, bias = small.get_layer("fulconnect_1").get_weights()
    corner = np.zeros_like(kernel).reshape(2, 2, 8, 128)
    corner[0, 1] = 1
    small.get_layer("fulconnect_1").set_weights([corner.reshape(kernel.shape), bias])

    copy_weights(small, large)

    resized = large.get_layer("fulconnect_1").kernel.numpy().reshape(6, 6, 8, 128)[..., 0, 0]
    assert np.unravel_index(resized.argmax(), resized.shape)[1] > 2
    assert resized[0, 5] > 0
    assert resized[5, 0] == 0


def test_the_optimizer_goes_on_where_it_was() -> None:
    recipe = BEST.override({"width": 1 / 32, "average": 0.9})
    small, large = (
        build_trainer(recipe, classes=2, side=side, steps=10, policy="float32")
        for side in (99, 227)
    )
    for average in small.optimizer.variables:
        average.assign(keras.ops.full(average.shape, 3, dtype=average.dtype))
    small.average.steps.assign(7)

    copy_training(small, large)

    assert len(large.optimizer.variables) > 40
    for average in large.optimizer.variables:
        np.testing.assert_allclose(average.numpy(), 3, rtol=1e-6)
    assert large.average.steps == 7


def test_averaged_weights_are_resized_as_the_weights_are() -> None:
    recipe = BEST.override({"width": 1 / 32, "average": 0.9})
    small, large = (
        build_trainer(recipe, classes=2, side=side, steps=10, policy="float32")
        for side in (99, 227)
    )
    small.average.network.set_weights(small.network.get_weights())

    copy_training(small, large)

    for averaged, weight in zip(
        large.average.network.get_weights(), large.network.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(averaged, weight)
