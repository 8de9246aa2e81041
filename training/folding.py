"""Fold the normalizations that only training needs into the layers before them."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from training.model import FLATTENED_DENSE, FLATTENED_UNITS, build_alexnet, normalization_name
from training.precision import precision_scope


def fold_normalization(model: keras.Model) -> keras.Model:
    """The plain AlexNet that answers as `model` does.

    A normalization that directly follows a linear layer is itself linear at inference, so
    that both are one layer: kernel * s and (bias - mean) * s + beta with
    s = gamma / sqrt(variance + epsilon) (Jacob et al. 2018, section 3.2).

    Args:
        model: From `build_alexnet`, with or without `normalize_all`.

    Returns:
        A float32 model with the layers of the table and nothing else.
    """
    with precision_scope("float32"):
        plain = build_alexnet(
            model.output_shape[-1],
            side=model.input_shape[1],
            width=model.get_layer(FLATTENED_DENSE).units / FLATTENED_UNITS,
            dropout=model.get_layer("dropout_1").rate,
        )
    trained = {layer.name: layer for layer in model.layers}
    for layer in plain.layers:
        weights = trained[layer.name].get_weights()
        normalization = trained.get(normalization_name(layer.name))
        if normalization is not None:
            kernel, bias = weights
            weights = _folded(kernel, bias, normalization)
        layer.set_weights(weights)
    return plain


def _folded(
    kernel: NDArray[np.float32],
    bias: NDArray[np.float32],
    normalization: keras.layers.BatchNormalization,
) -> list[NDArray[np.float32]]:
    gamma, beta, mean, variance = normalization.get_weights()
    scale = gamma / np.sqrt(variance + normalization.epsilon)
    return [kernel * scale, (bias - mean) * scale + beta]
