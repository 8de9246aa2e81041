from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from training.normalization import FusedNormalization

COUNT = 2 * 4 * 5


def feature_maps() -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(3.0, 2.0, (2, 4, 5, 6)).astype(np.float32)


def trained(
    layer: keras.layers.BatchNormalization, inputs: NDArray[np.float32]
) -> dict[str, NDArray[np.float32]]:
    """Everything that one step of training makes of a layer with scales of its own."""
    layer.build(inputs.shape)
    layer.gamma.assign(np.linspace(0.5, 2.0, inputs.shape[-1]))
    layer.beta.assign(np.linspace(-1.0, 1.0, inputs.shape[-1]))
    pixels = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        outputs = layer(pixels, training=True)
        loss = tf.reduce_sum(tf.sin(tf.cast(outputs, tf.float32)))
    gradients = tape.gradient(loss, [pixels, layer.gamma.value, layer.beta.value])
    values = [outputs, *gradients, layer.moving_mean, layer.moving_variance]
    names = ["outputs", "inputs", "gamma", "beta", "mean", "variance"]
    return {
        name: keras.ops.convert_to_numpy(keras.ops.cast(value, "float32"))
        for name, value in zip(names, values, strict=True)
    }


def test_a_step_is_that_of_keras_but_for_the_variance_of_a_sample() -> None:
    kerass = trained(keras.layers.BatchNormalization(momentum=0.95), feature_maps())

    fused = trained(FusedNormalization(momentum=0.95), feature_maps())

    kerass["variance"] = 0.95 + (kerass["variance"] - 0.95) * COUNT / (COUNT - 1)
    for name, expected in kerass.items():
        np.testing.assert_allclose(fused[name], expected, rtol=1e-3, atol=1e-4, err_msg=name)


def test_bfloat16_goes_through_and_statistics_stay_exact() -> None:
    layer = FusedNormalization(momentum=0.0, dtype="mixed_bfloat16")

    outputs = layer(feature_maps().astype("bfloat16"), training=True)

    assert outputs.dtype == tf.bfloat16
    assert keras.backend.standardize_dtype(layer.moving_mean.dtype) == "float32"
    np.testing.assert_allclose(
        layer.moving_mean.numpy(), feature_maps().mean(axis=(0, 1, 2)), rtol=0.01
    )


@pytest.mark.parametrize("shape", [(8, 6), (2, 4, 5, 6)])
def test_outside_training_and_on_vectors_it_is_that_of_keras(shape: tuple[int, ...]) -> None:
    inputs = np.random.default_rng(0).normal(3.0, 2.0, shape).astype(np.float32)
    training = len(shape) == 2
    layers = [keras.layers.BatchNormalization(), FusedNormalization()]

    kerass, fused = (layer(inputs, training=training) for layer in layers)

    np.testing.assert_array_equal(fused, kerass)
