"""AlexNet (Krizhevsky et al. 2012), in one tower and with batch normalization."""

from __future__ import annotations

import re
from typing import Any

import keras
from keras import layers

FULL_SIDE = 227
# Sides at which every pooling window fits: the last feature map is 2, 3, 4, 5 or 6 wide.
SIDES = (99, 131, 163, 195, FULL_SIDE)

FLATTENED_DENSE = "fulconnect_1"


def build_alexnet(
    classes: int, *, side: int = FULL_SIDE, dropout: float = 0.4, normalize_all: bool = False
) -> keras.Model:
    """AlexNet, from uint8 pixels to probabilities.

    Args:
        classes: How many there are, at least 2.
        side: Height and width of the input in pixels, one of `SIDES`.
        dropout: Share of units dropped after each hidden dense layer, in training.
        normalize_all: Normalize all hidden layers before their ReLU as well, where
            `training.folding` can fold the normalization away.

    Returns:
        A model from uint8 `(n, side, side, 3)`, 0 to 255, to float32 `(n, classes)`.

    Raises:
        ValueError: `classes` is below 2, or `side` is none of `SIDES`.
    """
    if classes < 2:
        raise ValueError(f"`classes` must be at least 2. Received: {classes}")
    if side not in SIDES:
        raise ValueError(f"`side` must be one of {SIDES}. Received: {side}")
    pixels = keras.Input((side, side, 3), dtype="uint8", name="pixels")
    x = layers.Rescaling(1 / 255, name="rescaling")(pixels)
    x = _hidden(x, layers.Conv2D, 96, normalize_all, "convol_1", kernel_size=11, strides=4)
    x = layers.MaxPooling2D(3, strides=2, name="maxpool_1")(x)
    x = layers.BatchNormalization(name="norm_1")(x)
    same = {"padding": "same"}
    x = _hidden(x, layers.Conv2D, 256, normalize_all, "convol_2", kernel_size=5, **same)
    x = layers.MaxPooling2D(3, strides=2, name="maxpool_2")(x)
    x = layers.BatchNormalization(name="norm_2")(x)
    for name, filters in (("convol_3", 384), ("convol_4", 384), ("convol_5", 256)):
        x = _hidden(x, layers.Conv2D, filters, normalize_all, name, kernel_size=3, **same)
    x = layers.MaxPooling2D(3, strides=2, name="maxpool_3")(x)
    x = layers.Flatten(name="flatten")(x)
    x = _hidden(x, layers.Dense, 4096, normalize_all, FLATTENED_DENSE)
    x = layers.Dropout(dropout, name="dropout_1")(x)
    x = _hidden(x, layers.Dense, 4096, normalize_all, "fulconnect_2")
    x = layers.Dropout(dropout, name="dropout_2")(x)
    x = layers.BatchNormalization(name="norm_3")(x)
    x = _hidden(x, layers.Dense, 1000, normalize_all, "fulconnect_3")
    x = layers.Dropout(dropout, name="dropout_3")(x)
    # Probabilities in float32 under any precision policy: bfloat16 has but 8 bits for them.
    output = layers.Dense(classes, activation="softmax", dtype="float32", name="fulconnect_4")(x)
    return keras.Model(pixels, output, name="alexnet")


def bare_name(name: str) -> str:
    """The name of the layer that a normalization made by `_hidden` belongs to, or ""."""
    match = re.fullmatch(r"(\w+)_normalization", name)
    return match.group(1) if match else ""


def _hidden(
    x: keras.KerasTensor,
    layer: type[keras.layers.Layer],
    units: int,
    normalize: bool,
    name: str,
    **arguments: Any,
) -> keras.KerasTensor:
    if not normalize:
        return layer(units, activation="relu", name=name, **arguments)(x)
    x = layer(units, name=name, **arguments)(x)
    x = layers.BatchNormalization(name=f"{name}_normalization")(x)
    return layers.ReLU(name=f"{name}_relu")(x)
