"""From Keras to LiteRT, the one step that needs TensorFlow."""

from __future__ import annotations

from pathlib import Path

import keras

from training.errors import ExportError


def write_litert(path: Path, network: keras.Model) -> None:
    """Write a network from uint8 pixels as a LiteRT file with kernels in int8.

    Dynamic-range quantization: kernels are stored in int8, one scale an output channel,
    activations are quantized as they come. The number of pictures a batch stays open.

    Raises:
        ExportError: Keras runs on another backend than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise ExportError(
            "Only TensorFlow writes LiteRT files; run the export with KERAS_BACKEND=tensorflow."
        )
    import tensorflow as tf

    signature = tf.TensorSpec((None, *network.input_shape[1:]), tf.uint8, name="pixels")
    function = tf.function(lambda pixels: network(pixels, training=False))
    concrete = function.get_concrete_function(signature)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    path.write_bytes(converter.convert())


def tensorflow_version() -> str:
    """Of the TensorFlow that is installed."""
    import tensorflow as tf

    return str(tf.__version__)
