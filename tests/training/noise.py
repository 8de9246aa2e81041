"""Pictures of noise, and what layers make of them."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from training.augmentation import Augmentation


def noise(count: int = 4, side: int = 32) -> NDArray[np.uint8]:
    """Return random pixels, `(count, side, side, 3)`."""
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def augment(layer: Augmentation, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return pictures as they are seen in training."""
    return keras.ops.convert_to_numpy(layer(pixels, training=True))
