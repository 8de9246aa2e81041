"""Parts of training pictures erased at random."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from training.augmentation import Augmentation
from training.boxes import box_masks

_AREAS = (0.02, 0.4)  # of a picture's
_STEEPEST = 1 / 0.3  # height to width, or width to height


@keras.saving.register_keras_serializable(package="training")
class RandomErasing(Augmentation):
    """Paint a rectangle of some pictures over (Zhong et al. 2020, algorithm 1).

    Areas and aspects are the paper's. The colour is random, but one a rectangle.

    Args:
        probability: The share of pictures that lose a rectangle.
        **kwargs: As of `RandomLayer`.
    """

    def __init__(self, probability: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.probability = probability

    def change(self, images: keras.KerasTensor) -> keras.KerasTensor:
        count, height, width, channels = ops.shape(images)
        chosen = self.uniform((count,), 0.0, 1.0) < self.probability
        area = ops.where(chosen, self.uniform((count,), *_AREAS), 0.0)
        steepest = math.log(_STEEPEST)
        aspect = ops.exp(self.uniform((count,), -steepest, steepest))
        heights = ops.minimum(ops.sqrt(area * aspect), 1.0)
        widths = ops.minimum(ops.sqrt(area / aspect), 1.0)
        down = 0.5 + self.uniform((count,), -0.5, 0.5) * (1.0 - heights)
        right = 0.5 + self.uniform((count,), -0.5, 0.5) * (1.0 - widths)
        boxes = box_masks((down, right), (heights, widths), height, width)
        colours = ops.cast(self.uniform((count, 1, 1, channels), 0.0, 256.0), "uint8")
        return ops.where(boxes, colours, images)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "probability": self.probability}
