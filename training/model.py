"""AlexNet (Krizhevsky et al. 2012), in one tower and with batch normalization."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

FULL_SIDE = 227
# Sides at which every pooling window fits: the last feature map is 2, 3, 4, 5 or 6 wide.
SIDES = (99, 131, 163, 195, FULL_SIDE)

FLATTENED_DENSE = "fulconnect_1"
FLATTENED_UNITS = 4096
LARGE_DENSE = (FLATTENED_DENSE, "fulconnect_2", "fulconnect_3")
LAST_DENSE = "fulconnect_4"


def build_alexnet(
    classes: int,
    *,
    side: int = FULL_SIDE,
    width: float = 1.0,
    dropout: float = 0.4,
    normalize_all: bool = False,
    normalization: type[layers.BatchNormalization] = layers.BatchNormalization,
) -> keras.Model:
    """AlexNet, from uint8 pixels to probabilities.

    Args:
        classes: How many there are, at least 2.
        side: Height and width of the input in pixels, one of `SIDES`.
        width: Of every hidden layer, as a share of the paper's, in multiples of 1/32.
        dropout: Share of units dropped after each hidden dense layer, in training.
        normalize_all: Normalize all hidden layers before their ReLU as well, where
            `training.folding` can fold the normalization away.
        normalization: Keras's batch normalization, or one that computes the same.

    Returns:
        A model from uint8 `(n, side, side, 3)`, 0 to 255, to float32 `(n, classes)`.

    Raises:
        ValueError: `classes` is below 2, `side` is none of `SIDES`, or `width` no such multiple.
    """
    if classes < 2:
        raise ValueError(f"`classes` must be at least 2. Received: {classes}")
    if side not in SIDES:
        raise ValueError(f"`side` must be one of {SIDES}. Received: {side}")
    if width * 32 < 1 or width * 32 % 1:
        raise ValueError(f"`width` must be a multiple of 1/32. Received: {width}")

    def hidden(
        x: keras.KerasTensor, layer: type[keras.layers.Layer], units: int, name: str, **shape: Any
    ) -> keras.KerasTensor:
        units = round(units * width)
        if not normalize_all:
            return layer(units, activation="relu", name=name, **shape)(x)
        x = layer(units, name=name, **shape)(x)
        x = normalized(x, normalization_name(name))
        return layers.ReLU(name=f"{name}_relu")(x)

    def normalized(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        # Keras' default of 0.99 lags behind a one-cycle schedule's large steps by many points.
        return normalization(momentum=0.95, name=name)(x)

    pixels = keras.Input((side, side, 3), dtype="uint8", name="pixels")
    x = layers.Rescaling(1 / 255, name="rescaling")(pixels)
    x = hidden(x, layers.Conv2D, 96, "convol_1", kernel_size=11, strides=4)
    x = layers.MaxPooling2D(3, strides=2, name="maxpool_1")(x)
    x = normalized(x, "norm_1")
    x = hidden(x, layers.Conv2D, 256, "convol_2", kernel_size=5, padding="same")
    x = layers.MaxPooling2D(3, strides=2, name="maxpool_2")(x)
    x = normalized(x, "norm_2")
    x = hidden(x, layers.Conv2D, 384, "convol_3", kernel_size=3, padding="same")
    x = hidden(x, layers.Conv2D, 384, "convol_4", kernel_size=3, padding="same")
    x = hidden(x, layers.Conv2D, 256, "convol_5", kernel_size=3, padding="same")
    x = layers.MaxPooling2D(3, strides=2, name="maxpool_3")(x)
    x = layers.Flatten(name="flatten")(x)
    x = hidden(x, layers.Dense, FLATTENED_UNITS, FLATTENED_DENSE)
    x = layers.Dropout(dropout, name="dropout_1")(x)
    x = hidden(x, layers.Dense, 4096, "fulconnect_2")
    x = layers.Dropout(dropout, name="dropout_2")(x)
    x = normalized(x, "norm_3")
    x = hidden(x, layers.Dense, 1000, "fulconnect_3")
    x = layers.Dropout(dropout, name="dropout_3")(x)
    # Probabilities in float32 under any precision policy: bfloat16 has but 8 bits for them.
    output = layers.Dense(classes, activation="softmax", dtype="float32", name=LAST_DENSE)(x)
    return keras.Model(pixels, output, name="alexnet")


def normalization_name(name: str) -> str:
    """The name of the normalization between the layer `name` and its ReLU."""
    return f"{name}_normalization"
