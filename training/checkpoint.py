"""The state of a training after an epoch, on disk."""

from __future__ import annotations

import contextlib
import json
import math
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import keras

from training.errors import RunError, brief
from training.files import require_room, whole_folder

_NAME = "epoch-"
_FLOAT = 4  # bytes
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
    """Write weights and optimizer state; the checkpoints before go once this one is whole.

    Raises:
        StorageError: There is no room; the checkpoint before is still there.
    """
    latest = folder / f"{_NAME}{progress.epochs:04}"
    # HDF5 finds a full disk too, but says so in a page of tracebacks.
    require_room(latest, _size(trainer))
    with whole_folder(latest) as aside:
        trainer.save_weights(aside / _WEIGHTS)
        (aside / _STATE).write_text(json.dumps(asdict(progress)), encoding="utf-8")
    for other in folder.glob(f"{_NAME}*"):
        if other != latest:
            shutil.rmtree(other)


def read_progress(folder: Path) -> Progress:
    """How far the latest checkpoint in `folder` has come; nowhere if there is none.

    Raises:
        RunError: The checkpoint is damaged.
    """
    latest = _latest(folder)
    if latest is None:
        return Progress(epochs=0, steps=0)
    with _telling_damage(latest):
        return Progress(**json.loads((latest / _STATE).read_text(encoding="utf-8")))


def load_checkpoint(folder: Path, trainer: keras.Model) -> None:
    """Put the latest weights and optimizer state into a compiled trainer of the same side.

    Raises:
        RunError: The checkpoint is damaged.
    """
    latest = _latest(folder)
    if latest is None:
        raise ValueError(f"There is no checkpoint to load. Received: {folder}")
    with _telling_damage(latest):
        trainer.load_weights(latest / _WEIGHTS)


def _size(trainer: keras.Model) -> int:
    variables = (*trainer.variables, *trainer.optimizer.variables)
    return sum(_FLOAT * math.prod(each.shape) for each in variables if "float" in each.dtype)


def _latest(folder: Path) -> Path | None:
    return max(folder.glob(f"{_NAME}*"), default=None)


@contextlib.contextmanager
def _telling_damage(checkpoint: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # Keras and HDF5 raise many types for damaged files
        raise RunError(
            f"{checkpoint} is damaged ({brief(error)}); train again, with another --run."
        ) from error
