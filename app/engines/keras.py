"""The engine for the GPU, on whichever backend Keras has."""

from __future__ import annotations

import os
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from app.engines.engine import Answers, Pictures
from app.errors import ModelCardError


class KerasEngine:
    """A Keras model with uint8 input.

    Batches are padded to a power of two: backends compile the network for each size that
    they meet, and a GPU computes the padding at next to no cost.
    """

    name = "Keras"
    best_batch = 128

    def __init__(self, path: Path, input_shape: tuple[int, int, int]) -> None:
        """Load the model on the first GPU that the backend sees, else on the CPU.

        Raises:
            ModelCardError: It is no Keras model, or does not take `input_shape`.
        """
        self.device = gpu_device() or "cpu"
        self._input_shape = input_shape
        try:
            self._model = keras.saving.load_model(path, compile=False, safe_mode=True)
        except (ValueError, TypeError, OSError, KeyError) as error:
            raise ModelCardError(
                f"The model file {path} cannot be loaded by Keras ({error}); export it again."
            ) from error
        shape = tuple(self._model.input_shape[1:])
        if shape != input_shape:
            raise ModelCardError(
                f"The model file {path} takes {shape}, but its card says {input_shape}; export "
                "the model again."
            )

    def predict(self, pictures: Pictures) -> Answers:
        count = len(pictures)
        padded = np.zeros((_padded_size(count), *self._input_shape), np.uint8)
        np.stack(list(pictures), out=padded[:count])
        return keras_answers(self._model, padded, count)


def keras_answers(model: keras.Model, pictures: NDArray[np.uint8], count: int) -> Answers:
    """Run a model on pictures of shape (n, height, width, 3), and keep the first `count` answers.

    The model's output is the probabilities, or a list of the probabilities and the typicality.
    """
    outputs = model.predict_on_batch(pictures)
    if not isinstance(outputs, list):
        outputs = [outputs]
    probabilities, *typicality = (np.asarray(output[:count], np.float32) for output in outputs)
    return Answers(probabilities, typicality[0][:, 0] if typicality else None)


def gpu_device() -> str | None:
    """Return "gpu:0" and the name of the first GPU that Keras's backend sees, or None.

    The backend is told to take the GPU's memory as it needs it, not all at once.
    """
    find_gpu = _GPU_FINDERS.get(keras.backend.backend())
    return find_gpu() if find_gpu else None


def _tensorflow_gpu() -> str | None:
    import tensorflow

    gpus = tensorflow.config.list_physical_devices("GPU")
    if not gpus:
        return None
    for gpu in gpus:
        tensorflow.config.experimental.set_memory_growth(gpu, True)
    details = tensorflow.config.experimental.get_device_details(gpus[0])
    return f"gpu:0 {details.get('device_name', gpus[0].name)}"


def _jax_gpu() -> str | None:
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # read at the first use
    import jax

    device = jax.devices()[0]
    return None if device.platform == "cpu" else f"gpu:0 {device.device_kind}"


def _torch_gpu() -> str | None:
    import torch

    return f"gpu:0 {torch.cuda.get_device_name(0)}" if torch.cuda.is_available() else None


_GPU_FINDERS = {
    "tensorflow": _tensorflow_gpu,
    "jax": _jax_gpu,
    "torch": _torch_gpu,
}


def _padded_size(size: int) -> int:
    return 1 << (size - 1).bit_length()
