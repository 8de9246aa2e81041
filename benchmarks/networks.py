"""The network as a Keras file, for what runs on TensorFlow."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def keras_installed() -> bool:
    """Whether Keras and TensorFlow are there."""
    return all(importlib.util.find_spec(name) for name in ("keras", "tensorflow"))


def keras_file(model: Path, folder: Path) -> Path:
    """Return the model's own file, or else write the same layers with random weights.

    They take the same time: no layer is quicker for some numbers than for others.
    """
    own = model / "model.keras"
    if own.exists():
        return own
    from training.model import build_alexnet

    written = folder / own.name
    build_alexnet(2).save(written)
    return written
