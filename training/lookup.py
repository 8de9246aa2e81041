"""All pictures of a data set in the accelerator's memory."""

from __future__ import annotations

from typing import Any, Literal

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from app.engines.keras import gpu_device
from training.errors import DeviceError

_NO_ROOM = (
    *("resource_exhausted", "resourceexhausted", "out of memory", "memoryerror"),
    "dst tensor is not initialized",  # TensorFlow's, of a copy to a GPU
)

Place = Literal["auto", "accelerator", "disk"]


def on_accelerator(place: Place) -> bool:
    """Whether the pictures go into the accelerator's memory; "auto": where there is a GPU.

    A step is then fed positions, not pixels, which at 227x227 are 40,000 times as many bytes.
    """
    return place == "accelerator" or (place == "auto" and gpu_device() is not None)


class Lookup(keras.layers.Layer):
    """Turn positions into pictures.

    The table is a variable, not a constant, which would be compiled into the training step,
    and it is never saved: it can be made anew from the data.

    Args:
        pixels: Shape (n, side, side, 3), uint8.

    Raises:
        DeviceError: The accelerator has no room for them.
    """

    def __init__(self, pixels: NDArray[np.uint8], **kwargs: Any) -> None:
        super().__init__(**{"autocast": False, "trainable": False, **kwargs})
        try:
            self.table = keras.Variable(pixels, dtype="uint8", trainable=False, name="table")
        except Exception as error:  # every backend has its own
            if not _says_no_room(error):
                raise
            raise DeviceError(
                f"The accelerator has no room for the pictures, {pixels.nbytes / 1e9:.1f} GB; "
                "add --pictures disk."
            ) from error

    def call(self, positions: keras.KerasTensor) -> keras.KerasTensor:
        """From int32 `(m,)` to uint8 `(m, side, side, 3)`."""
        return ops.take(self.table, positions, axis=0)

    def save_own_variables(self, store: dict[str, Any]) -> None:
        """Save nothing."""

    def load_own_variables(self, store: dict[str, Any]) -> None:
        """Keep the table."""


def _says_no_room(error: Exception) -> bool:
    text = f"{type(error).__name__}: {error}".lower()
    return any(sign in text for sign in _NO_ROOM)
