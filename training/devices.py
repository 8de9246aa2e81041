"""Several GPUs of one machine, each of which computes its share of every batch."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Literal, TypeAlias

import keras

from training.backend import BACKENDS
from training.errors import DeviceError

Devices: TypeAlias = int | Literal["auto"]


class SharedBatches(keras.distribution.DataParallel):
    """The network on every device, and of each batch as many pictures on one as on another.

    What is computed over a batch, the statistics of the normalizations too, is computed over
    the whole of it: a training takes the steps that it would take on one device.

    Args:
        devices: By Keras's names, such as "gpu:0".
    """

    def __init__(self, devices: Sequence[str]) -> None:
        super().__init__(devices=list(devices))

    def get_data_layout(self, data_shape: tuple[int, ...]) -> keras.distribution.TensorLayout:
        """Share the pictures out; as many as cannot be, every device computes all of."""
        if data_shape[0] % self.num_model_replicas == 0:
            return super().get_data_layout(data_shape)
        return keras.distribution.TensorLayout([None] * len(data_shape), self.device_mesh)


def parse_devices(text: str) -> Devices:
    """Of a number of devices, or "auto"."""
    if text == "auto":
        return "auto"
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"give a number above 0, or auto. Received: {text!r}")


def require_backend() -> None:
    """Raise DeviceError if Keras runs on a backend that this package does not train on."""
    backend = keras.backend.backend()
    if backend not in BACKENDS:
        raise DeviceError(
            f"Keras runs on {backend}, on which nothing is trained here; set "
            f"KERAS_BACKEND={' or '.join(BACKENDS)}."
        )


def find_devices(devices: Devices) -> tuple[str, ...]:
    """The names of the devices to train on; of a single one, none, as it needs no sharing out.

    Args:
        devices: How many; "auto" takes all that the backend sees.

    Raises:
        DeviceError: There are fewer, or the backend does not share batches out.
    """
    if devices == 1:
        return ()
    backend = keras.backend.backend()
    if backend != "jax":
        raise DeviceError(
            f"Keras runs on {backend}, which trains on one device; install JAX and set "
            "KERAS_BACKEND=jax, or leave out --devices."
        )
    found: list[str] = keras.distribution.list_devices()
    if devices == "auto":
        devices = len(found)
    if devices > len(found):
        raise DeviceError(
            f"--devices {devices} are more than JAX sees here ({', '.join(found)}); give "
            "--devices auto, or install JAX for this machine's GPUs."
        )
    return tuple(found[:devices]) if devices > 1 else ()


def require_even_shares(pictures: int, devices: Sequence[str]) -> None:
    """Raise ValueError unless a batch can be shared out evenly."""
    if devices and pictures % len(devices):
        raise ValueError(
            "A batch, or all pictures to train on if they are fewer, must divide evenly among the "
            f"devices; choose --batch-size and --devices so. Received: {pictures} pictures for "
            f"{len(devices)} devices"
        )
