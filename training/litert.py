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

    network.export(
        path,
        format="litert",
        verbose=False,
        optimizations=[tf.lite.Optimize.DEFAULT],
        # Kernels become constants, and no operator asks for TensorFlow.
        experimental_enable_resource_variables=False,
        target_spec={"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]},
    )


def tensorflow_version() -> str:
    """Of the TensorFlow that is installed."""
    import tensorflow as tf

    return str(tf.__version__)
