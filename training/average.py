"""The moving average of a network's weights."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class Average(keras.layers.Layer):
    """A network whose weights are the exponential moving average of another's.

    Polyak & Juditsky 1992; Tarvainen & Valpola 2017, section 2. Keras's optimizers average
    what they train and nothing else: here the statistics of the normalizations are averaged
    too, which else would belong to other weights than those they stand beside.

    Args:
        network: Of the same layers as the one that it follows.
        decay: The share that stays at each step. In the first steps it is less, so that the
            random weights of the start soon count for nothing.
    """

    def __init__(self, network: keras.Model, decay: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.network = network
        self.decay = decay
        self.steps = self.add_weight(name="steps", initializer="zeros", dtype="float32")
        self.trainable = False

    def follow(self, network: keras.Model) -> None:
        """Take one step towards the weights of `network`."""
        # As in TensorFlow's ExponentialMovingAverage: at first it remembers a ninth of the steps.
        stays = ops.minimum(self.decay, self.steps / (self.steps + 9.0))
        for average, weight in zip(self.network.weights, network.weights, strict=True):
            average.assign(stays * average + (1.0 - stays) * weight)
        self.steps.assign(self.steps + 1.0)

    def call(self, pictures: keras.KerasTensor) -> keras.KerasTensor:
        return self.network(pictures, training=False)
