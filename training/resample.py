"""Training pictures blurred or sharpened, as if they came from smaller or larger files."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from training.augmentation import Augmentation

_SMALLEST = 0.5  # of the picture's own side


@keras.saving.register_keras_serializable(package="training")
class RandomResample(Augmentation):
    """Bring some pictures down to a random size and up again, or sharpen them.

    Enlarged thumbnails are soft, large photographs that were made small are sharp, and a
    network that has seen but one kind does worse on the other (Dodge & Karam 2016). Both
    resamplings are Pillow's bilinear one. Half of the changed pictures lose the detail that
    does not survive them, the others get it twice.

    Args:
        probability: The share of pictures that are changed.
        **kwargs: As of `RandomLayer`.
    """

    def __init__(self, probability: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.probability = probability

    def change(self, images: keras.KerasTensor) -> keras.KerasTensor:
        count, height, width, _ = ops.shape(images)
        factors = self.uniform((count,), _SMALLEST, 1.0)
        pixels = ops.cast(images, "float32")
        blurred = ops.einsum("nij,njkc->nikc", _down_and_up(factors, height), pixels)
        blurred = ops.einsum("nkl,nilc->nikc", _down_and_up(factors, width), blurred)
        chance = self.uniform((count, 1, 1, 1), 0.0, 1.0)
        share = ops.where(chance < self.probability / 2, 1.0, -1.0)
        share = ops.where(chance < self.probability, share, 0.0)
        changed = pixels + share * (blurred - pixels)
        return ops.cast(ops.clip(ops.round(changed), 0.0, 255.0), "uint8")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "probability": self.probability}


def _down_and_up(factors: keras.KerasTensor, length: int) -> keras.KerasTensor:
    """How a line of pixels comes back from a smaller one: float32 `(n, length, length)`."""
    pixels = ops.arange(length, dtype="float32")
    short = ops.round(factors * length)[:, None]
    scale = short / length
    origins = (pixels + 0.5) / scale - 0.5
    down = _triangles((origins[:, :, None] - pixels) * scale[..., None])
    down = down / ops.maximum(ops.sum(down, axis=-1, keepdims=True), 1e-6)
    origins = ops.clip((pixels + 0.5) * scale - 0.5, 0.0, short - 1.0)
    # The smaller line is as long as the other, so that all have one shape; its end is not read.
    up = _triangles(origins[:, :, None] - pixels)
    return ops.matmul(up, down)


def _triangles(distances: keras.KerasTensor) -> keras.KerasTensor:
    return ops.maximum(1.0 - ops.absolute(distances), 0.0)
