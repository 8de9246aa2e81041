"""Training pictures mixed with one another, and their targets with them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from training.augmentation import RandomLayer
from training.boxes import box_masks

_DRAWN = 4096


@keras.saving.register_keras_serializable(package="training")
class RandomMixing(RandomLayer):
    """Mix each picture of a batch with another one of it, and the targets in the same measure.

    Mixup blends them (Zhang et al. 2018, section 2), CutMix pastes a rectangle (Yun et al.
    2019, section 3.1). Each picture has its own share or rectangle. With both, each batch
    takes one at random.

    Args:
        mixup: Alpha of the Beta distribution of the shares; 0 does not blend.
        cutmix: Alpha of the Beta distribution of what is left uncovered; 0 does not paste.
        **kwargs: As of `RandomLayer`.
    """

    def __init__(self, *, mixup: float = 0.0, cutmix: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mixup = mixup
        self.cutmix = cutmix

    def call(
        self, images: keras.KerasTensor, targets: keras.KerasTensor, training: bool = False
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Pictures, uint8 `(n, height, width, 3)`, and targets, float32 `(n, classes)`."""
        if not training:
            return images, targets
        kept = self._kept(images)
        partners = keras.random.shuffle(ops.arange(ops.shape(images)[0]), seed=self.seed_generator)
        shares = ops.mean(kept, axis=(1, 2))
        mixed = _blend(ops.cast(images, "float32"), partners, kept)
        return ops.cast(ops.round(mixed), "uint8"), _blend(targets, partners, shares)

    def _kept(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """How much of each pixel stays: `(n, height, width, 1)`, 0 to 1."""
        if not self.cutmix:
            return self._evenly(images)
        if not self.mixup:
            return self._outside_boxes(images)
        heads = self.uniform((), 0.0, 1.0) < 0.5
        return ops.where(heads, self._evenly(images), self._outside_boxes(images))

    def _evenly(self, images: keras.KerasTensor) -> keras.KerasTensor:
        count, height, width, _ = ops.shape(images)
        shares = self._beta(count, self.mixup)[:, None, None, None]
        return ops.broadcast_to(shares, (count, height, width, 1))

    def _outside_boxes(self, images: keras.KerasTensor) -> keras.KerasTensor:
        count, height, width, _ = ops.shape(images)
        sides = ops.sqrt(1.0 - self._beta(count, self.cutmix))
        centres = self.uniform((count,), 0.0, 1.0), self.uniform((count,), 0.0, 1.0)
        boxes = box_masks(centres, (sides, sides), height, width)
        return 1.0 - ops.cast(boxes, "float32")

    def _beta(self, count: int, alpha: float) -> keras.KerasTensor:
        # `keras.random.beta` would do, but TensorFlow's has no XLA kernel.
        drawn = np.random.default_rng(0).beta(alpha, alpha, _DRAWN).astype(np.float32)
        chosen = keras.random.randint((count,), 0, _DRAWN, seed=self.seed_generator)
        return ops.take(ops.convert_to_tensor(drawn), chosen)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mixup": self.mixup, "cutmix": self.cutmix}


def _blend(
    values: keras.KerasTensor, partners: keras.KerasTensor, kept: keras.KerasTensor
) -> keras.KerasTensor:
    return kept * values + (1.0 - kept) * ops.take(values, partners, axis=0)
