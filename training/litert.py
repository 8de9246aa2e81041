"""From Keras to LiteRT, the one step that needs TensorFlow."""

from __future__ import annotations

import tempfile
from pathlib import Path

import keras

from training.errors import ExportError
from training.model import LARGE_DENSE

_INT4_BLOCK = 32
"""Kernels that share a scale in int4; fewer cost more, and more cost accuracy."""


def write_litert(path: Path, network: keras.Model) -> None:
    """Write a network from uint8 pixels as a LiteRT file with kernels of 8 and of 4 bits.

    Dynamic-range quantization: activations are quantized as they come. Kernels are stored in int8,
    one scale an output channel, but for those of the large dense layers, which are most of the
    file and the slower to read than to compute with: int4, one scale for every 32 inputs. The
    number of pictures a batch stays open.

    Raises:
        ExportError: Keras runs on another backend than TensorFlow.
    """
    require_tensorflow()
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        exact = Path(folder) / path.name
        _write_float(exact, network)
        path.write_bytes(_quantized(exact))


def require_tensorflow() -> None:
    """Raise ExportError if Keras runs on another backend than TensorFlow."""
    if keras.backend.backend() != "tensorflow":
        raise ExportError(
            "Only TensorFlow writes LiteRT files; run the export with KERAS_BACKEND=tensorflow."
        )


def _write_float(path: Path, network: keras.Model) -> None:
    import tensorflow as tf

    network.export(
        path,
        format="litert",
        verbose=False,
        # Kernels become constants, and no operator asks for TensorFlow.
        experimental_enable_resource_variables=False,
        target_spec={"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]},
    )


def _quantized(path: Path) -> bytes:
    from ai_edge_quantizer.qtyping import QuantGranularity, TFLOperationName
    from ai_edge_quantizer.quantizer import Quantizer

    quantizer = Quantizer(path)
    quantizer.add_dynamic_config(".*", TFLOperationName.ALL_SUPPORTED, num_bits=8)
    quantizer.add_dynamic_config(
        "|".join(LARGE_DENSE),
        TFLOperationName.FULLY_CONNECTED,
        num_bits=4,
        granularity=QuantGranularity(f"BLOCKWISE_{_INT4_BLOCK}"),
    )
    result = quantizer.quantize(enable_progress_report=False)
    return bytes(result.quantized_model)


def tensorflow_version() -> str:
    """Of the TensorFlow that is installed."""
    import tensorflow as tf

    return str(tf.__version__)
