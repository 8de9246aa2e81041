"""Carry a network and its optimizer over to another input size."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from training.interpolation import bilinear_matrix
from training.model import FLATTENED_DENSE
from training.trainer import Trainer


def copy_training(source: Trainer, target: Trainer) -> None:
    """Copy weights and optimizer state between two trainers that differ at most in their side.

    Without its running averages, Adam's first thousand steps would be several times too large.
    """
    copy_weights(source.network, target.network)
    if source.average is not None and target.average is not None:
        copy_weights(source.average.network, target.average.network)
        target.average.steps.assign(source.average.steps)
    pairs = zip(source.optimizer.variables, target.optimizer.variables, strict=True)
    for average, target_average in pairs:
        values = keras.ops.convert_to_numpy(average)
        if values.shape != target_average.shape:
            values = _resample(values, target_average.shape[0], _channels(source.network))
        target_average.assign(values)


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
            share = weights[0].shape[0] / rows
            weights[0] = _resample(weights[0], rows, _channels(source)) * np.float32(share)
        target.get_layer(layer.name).set_weights(weights)


def _channels(model: keras.Model) -> int:
    return int(model.get_layer("convol_5").kernel.shape[-1])


def _resample(kernel: NDArray[np.float32], rows: int, channels: int) -> NDArray[np.float32]:
    """From `(side * side * channels, units)` to `(rows, units)`."""
    old_side = int(np.sqrt(kernel.shape[0] // channels))
    new_side = int(np.sqrt(rows // channels))
    if old_side == new_side:
        return kernel
    planes = kernel.reshape(old_side, old_side, -1)
    resampled = bilinear_matrix(old_side, new_side)
    planes = np.einsum("ij,jkc->ikc", resampled, planes)
    planes = np.einsum("ij,kjc->kic", resampled, planes)
    return np.ascontiguousarray(planes.reshape(rows, -1), dtype=np.float32)
