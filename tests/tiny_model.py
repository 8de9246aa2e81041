"""A network so small that it needs no training: it tells red pictures from blue ones.

The brighter a picture is, the more typical.
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tests.app.cards import card_of, write_card


def make_tiny_model(folder: Path) -> None:
    """Write `model.keras`, `model.tflite` and `model.json` to the folder."""
    network = _network()
    network.save(folder / "model.keras")
    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    (folder / "model.tflite").write_bytes(converter.convert())
    write_card(folder, card_of(folder, "model.keras", "model.tflite"))


def _network() -> keras.Model:
    pixels = keras.Input((227, 227, 3), dtype="uint8")
    x = keras.layers.Rescaling(1 / 255)(pixels)
    x = keras.layers.Conv2D(2, 1, strides=8, name="colors")(x)
    shares = keras.layers.GlobalAveragePooling2D()(x)
    probabilities = keras.layers.Dense(2, activation="softmax", name="classes")(shares)
    typicality = keras.ops.max(shares, axis=-1, keepdims=True)
    network = keras.Model(pixels, [probabilities, typicality])
    red_and_blue = np.zeros((1, 1, 3, 2), "float32")
    red_and_blue[0, 0, 0, 0] = red_and_blue[0, 0, 2, 1] = 1
    network.get_layer("colors").set_weights([red_and_blue, np.zeros(2, "float32")])
    network.get_layer("classes").set_weights([4 * np.eye(2, dtype="float32"), np.zeros(2)])
    return network
