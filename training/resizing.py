"""Carry a network's weights over to another input size."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.model import FLATTENED_DENSE


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Copy all weights between two AlexNets that differ at most in the side of their input.

    Convolutions do not depend on it. The first dense layer reads the flattened last feature
    map: its kernel is resampled as the small image that it is, and scaled so that the sum
    over a feature map of constant value stays the same.
    """
    for layer in source.layers:
        weights = layer.get_weights()
        if layer.name == FLATTENED_DENSE:
            rows = target.get_layer(layer.name).kernel.shape[0]
            weights[0] = _resample_kernel(weights[0], rows, channels=_channels(source))
        target.get_layer(layer.name).set_weights(weights)


def _channels(model: keras.Model) -> int:
    return int(model.get_layer("convol_5").kernel.shape[-1])


def _resample_kernel(kernel: NDArray[np.float32], rows: int, channels: int) -> NDArray[np.float32]:
    """From `(side * side * channels, units)` to `(rows, units)`."""
    old_side = int(np.sqrt(kernel.shape[0] // channels))
    new_side = int(np.sqrt(rows // channels))
    if old_side == new_side:
        return kernel
    planes = kernel.reshape(old_side, old_side, -1)
    resampled = _bilinear_matrix(old_side, new_side)
    planes = np.einsum("ij,jkc->ikc", resampled, planes)
    planes = np.einsum("ij,kjc->kic", resampled, planes)
    scaled = planes * (old_side / new_side) ** 2
    return np.ascontiguousarray(scaled.reshape(rows, -1), dtype=np.float32)


def _bilinear_matrix(old: int, new: int) -> NDArray[np.float32]:
    """`(new, old)`: how one line of `new` pixels is made of one of `old`."""
    identity = Image.fromarray(np.eye(old, dtype=np.float32))
    return np.asarray(identity.resize((old, new), Image.Resampling.BILINEAR), dtype=np.float32)
