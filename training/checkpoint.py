"""The state of a training after an epoch, on disk."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import keras

from training.files import whole_folder

_STATE = "state.json"
_WEIGHTS = "trainer.weights.h5"


@dataclass(frozen=True)
class Progress:
    """How far a training has come."""

    epochs: int
    """Completed."""
    steps: int
    """Completed, in all epochs."""


def save_checkpoint(folder: Path, trainer: keras.Model, progress: Progress) -> None:
    """Write weights and optimizer state; the checkpoints before go once this one is whole."""
    latest = folder / f"epoch-{progress.epochs:04}"
    with whole_folder(latest) as aside:
        trainer.save_weights(aside / _WEIGHTS)
        (aside / _STATE).write_text(json.dumps(asdict(progress)), encoding="utf-8")
    for other in folder.iterdir():
        if other != latest:
            shutil.rmtree(other)


def read_progress(folder: Path) -> Progress:
    """How far the latest checkpoint in `folder` has come; nowhere if there is none."""
    latest = _latest(folder)
    if latest is None:
        return Progress(epochs=0, steps=0)
    return Progress(**json.loads((latest / _STATE).read_text(encoding="utf-8")))


def load_checkpoint(folder: Path, trainer: keras.Model) -> None:
    """Put the latest weights and optimizer state into a compiled trainer of the same side."""
    latest = _latest(folder)
    if latest is None:
        raise ValueError(f"There is no checkpoint to load. Received: {folder}")
    trainer.load_weights(latest / _WEIGHTS)


def _latest(folder: Path) -> Path | None:
    return max(folder.glob("epoch-*"), default=None)
