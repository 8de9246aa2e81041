"""Put the normalizations that only training needs back between the layers of a plain AlexNet."""

from __future__ import annotations

from typing import NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from training.model import normalization_name

_KERNEL_RMS = 0.03
"""Of a filter's weights, near what they have after a training by the recipe `best`.

Their size does not matter to a normalized layer's answers, but does to the steps it learns in: the
larger the weights, the less one step turns them (van Laarhoven 2017, "L2 Regularization versus
Batch and Weight Normalization", section 2).
"""
_BATCH = 64


def unfold_normalization(
    plain: keras.Model, network: keras.Model, pixels: NDArray[np.uint8]
) -> None:
    """Set the weights of `network` so that it answers as `plain`: the inverse of folding.

    What training settles and folding loses, the mean and the variance of every layer's outputs,
    is measured on `pixels`; gamma and beta are those that leave the answers as they are.

    Args:
        plain: As `fold_normalization` returns it.
        network: From `build_alexnet` with `normalize_all` or without, of the same side, width and
            classes.
        pixels: Some hundred pictures or more, uint8 `(n, side, side, 3)`.
    """
    normalizations = {layer.name: layer for layer in network.layers}
    unfolded = []
    for layer in plain.layers:
        target = network.get_layer(layer.name)
        normalization = normalizations.get(normalization_name(layer.name))
        if normalization is None:
            target.set_weights(layer.get_weights())
            continue
        kernel, bias = layer.get_weights()
        scale = _filter_rms(kernel) / _KERNEL_RMS
        target.set_weights([kernel / scale, np.zeros_like(bias)])
        unfolded.append(_Unfolded(target, normalization, scale, bias))
        unfolded[-1].settle(np.zeros_like(bias), np.ones_like(bias))
    if unfolded:
        moments = _output_moments(network, [each.linear for each in unfolded], pixels)
        for each, (mean, variance) in zip(unfolded, moments, strict=True):
            each.settle(mean, variance)


class _Unfolded(NamedTuple):
    """A linear layer of x * scale + bias, and the normalization that does the latter."""

    linear: keras.layers.Layer
    normalization: keras.layers.BatchNormalization
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]

    def settle(self, mean: NDArray[np.float32], variance: NDArray[np.float32]) -> None:
        """Normalize by these, with the gamma and beta that leave the answers as they are."""
        gamma = self.scale * np.sqrt(variance + self.normalization.epsilon)
        beta = self.bias + mean * self.scale
        self.normalization.set_weights([gamma, beta, mean, variance])


def _filter_rms(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of each filter, shape (filters,); 1 for one of zeros."""
    rms: NDArray[np.float32] = np.sqrt(np.square(kernel).mean(axis=tuple(range(kernel.ndim - 1))))
    return np.where(rms > 0, rms, np.float32(1))


def _output_moments(
    network: keras.Model, layers: list[keras.layers.Layer], pixels: NDArray[np.uint8]
) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Mean and variance of each channel that `layers` put out, over pictures and places."""
    observed = keras.Model(network.input, [layer.output for layer in layers])
    sums = [np.zeros((2, layer.output.shape[-1])) for layer in layers]
    counts = [0] * len(layers)
    for start in range(0, len(pixels), _BATCH):
        outputs = observed.predict_on_batch(np.asarray(pixels[start : start + _BATCH]))
        for position, output in enumerate(outputs):
            rows = np.asarray(output, dtype=np.float64).reshape(-1, output.shape[-1])
            sums[position] += [rows.sum(axis=0), np.square(rows).sum(axis=0)]
            counts[position] += len(rows)
    moments = [total / count for total, count in zip(sums, counts, strict=True)]
    return [
        (mean.astype(np.float32), np.maximum(square - mean**2, 0).astype(np.float32))
        for mean, square in moments
    ]
