"""Pictures at full size made smaller, for a network that trains on small ones."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from training.interpolation import bilinear_matrix


@keras.saving.register_keras_serializable(package="training")
class Reduction(keras.layers.Layer):
    """Pillow's bilinear resampling, to which the pixels are no more than 1 apart.

    Args:
        side: Of the pictures that come out, in pixels.
        **kwargs: As of every layer.
    """

    def __init__(self, side: int, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "uint8", "autocast": False, "trainable": False, **kwargs})
        self.side = side

    def call(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """From uint8 `(n, height, width, 3)` to uint8 `(n, side, side, 3)`."""
        _, height, width, _ = ops.shape(images)
        if (height, width) == (self.side, self.side):
            return images
        pixels = ops.cast(images, "float32")
        pixels = ops.einsum("ij,njkc->nikc", bilinear_matrix(height, self.side), pixels)
        pixels = ops.einsum("kl,nilc->nikc", bilinear_matrix(width, self.side), pixels)
        return ops.cast(ops.clip(ops.round(pixels), 0.0, 255.0), "uint8")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], self.side, self.side, input_shape[3])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "side": self.side}
