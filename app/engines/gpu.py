"""Whether this machine can run Keras on a GPU, asked in the cheapest order."""

from __future__ import annotations

import importlib.util
import platform
from pathlib import Path

_DRIVER_NODES = (Path("/dev/nvidiactl"), Path("/dev/dxg"), Path("/dev/kfd"))
"""Of NVIDIA on Linux, of any GPU under WSL, and of AMD."""


def why_no_gpu() -> str | None:
    """Return a sentence on what keeps a GPU from being used, or None if nothing does.

    Keras and its backend, seconds to import, are only imported where a driver is there.
    """
    if not _has_driver():
        return "No GPU driver was found on this machine; install the GPU's driver."
    if importlib.util.find_spec("keras") is None:
        return "Keras is not installed; install the project with its extra 'gpu'."
    try:
        from app.engines.keras import gpu_device

        device = gpu_device()
    except Exception as error:  # such as one of TensorFlow's, which needs a folder to write to
        return (
            f"Keras cannot be used ({type(error).__name__}: {error}); install it and its backend, "
            "choose another backend with KERAS_BACKEND, or give it a folder for temporary files, "
            "/tmp or TMPDIR."
        )
    if device is None:
        return (
            "The backend of Keras sees no GPU; install a build of it for this GPU, or choose "
            "another with KERAS_BACKEND."
        )
    return None


def _has_driver() -> bool:
    metal = platform.system() == "Darwin" and platform.machine() == "arm64"
    return metal or any(node.exists() for node in _DRIVER_NODES)
