"""Batch normalization as TensorFlow computes it fastest."""

from __future__ import annotations

from typing import Any

import keras

_FEATURE_MAPS = 4  # dimensions: pictures, rows, columns, channels


@keras.saving.register_keras_serializable(package="training")
class FusedNormalization(keras.layers.BatchNormalization):
    """Keras's layer, trained in one operation on feature maps where TensorFlow has one.

    Keras takes twenty operations, each of which reads and writes all feature maps: on a CPU that
    is a sixth of a training's time in bfloat16. The running variance is that of a sample, with
    n - 1 in place of n.
    """

    def call(
        self, inputs: keras.KerasTensor, training: bool | None = None, mask: Any = None
    ) -> keras.KerasTensor:
        fused = keras.backend.backend() == "tensorflow" and len(inputs.shape) == _FEATURE_MAPS
        if not training or not fused:
            return super().call(inputs, training=training, mask=mask)
        import tensorflow

        outputs, mean, variance = tensorflow.compat.v1.nn.fused_batch_norm(
            inputs, self.gamma, self.beta, epsilon=self.epsilon
        )
        self._follow(self.moving_mean, mean)
        self._follow(self.moving_variance, variance)
        return outputs

    def _follow(self, running: keras.Variable, value: keras.KerasTensor) -> None:
        running.assign(running * self.momentum + value * (1.0 - self.momentum))
