"""Training pictures in another light."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from training.augmentation import Augmentation

_LUMA = (0.299, 0.587, 0.114)  # of ITU-R BT.601, as Pillow weighs red, green and blue


@keras.saving.register_keras_serializable(package="training")
class RandomColour(Augmentation):
    """Change brightness, contrast and saturation (Howard 2013, section 2).

    Args:
        strength: The largest relative change of each, either way.
        **kwargs: As of `RandomLayer`.
    """

    def __init__(self, strength: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.strength = strength

    def change(self, images: keras.KerasTensor) -> keras.KerasTensor:
        count = ops.shape(images)[0]
        brightness, contrast, saturation = (
            self.uniform((count, 1, 1, 1), 1.0 - self.strength, 1.0 + self.strength)
            for _ in range(3)
        )
        pixels = ops.cast(images, "float32") * brightness
        grey = _grey(pixels)
        average = ops.mean(grey, axis=(1, 2), keepdims=True)
        pixels = average + contrast * (grey + saturation * (pixels - grey) - average)
        return ops.cast(ops.clip(ops.round(pixels), 0.0, 255.0), "uint8")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "strength": self.strength}


def _grey(pixels: keras.KerasTensor) -> keras.KerasTensor:
    return ops.sum(pixels * ops.convert_to_tensor(_LUMA, "float32"), axis=-1, keepdims=True)
