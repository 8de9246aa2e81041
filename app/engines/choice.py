"""Which engine runs the model on this machine."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from app.card import ModelCard, ModelCardError, verified_content, verified_file
from app.engines.engine import Engine, EngineUnavailableError
from app.engines.gpu import why_no_gpu
from app.engines.litert import FILE_NAME as LITERT_FILE
from app.engines.litert import LiteRTEngine
from app.errors import StartupError
from app.settings import Device

_KERAS_FILE = "model.keras"

logger = logging.getLogger(__name__)


def load_engines(
    device: Device, folder: Path, card: ModelCard, *, threads: int, max_batch: int | None
) -> tuple[Engine, ...]:
    """Load the model's file for the device, check it against the card and warm it up.

    Args:
        device: "auto" takes the GPU if there is one and a `model.keras` for it.
        threads: Of each LiteRT engine. There are two: while one waits for its slowest thread, or
            for pictures, the other one has work for the cores.
        max_batch: The largest batch that an engine will be given; None is its best one.

    Raises:
        EngineUnavailableError: "gpu", and none can be used.
        ModelCardError: The file is missing, not the one that the card describes, or of no use.
    """
    takes_gpu = _takes_gpu(device, folder)
    try:
        if takes_gpu:
            return _keras_engines(verified_file(folder, card, _KERAS_FILE), card, max_batch)
        return _litert_engines(verified_content(folder, card, LITERT_FILE), card, threads)
    except StartupError:
        raise
    except Exception as error:  # what runs models raises many types for those that it cannot run
        raise ModelCardError(
            f"The model in {folder} cannot be run ({type(error).__name__}: {error}); export it "
            "again."
        ) from error


def _keras_engines(path: Path, card: ModelCard, max_batch: int | None) -> tuple[Engine, ...]:
    from app.engines.keras import KerasEngine

    engine = KerasEngine(path, card.input_shape)
    largest = max_batch or engine.best_batch
    _warm_up(engine, card, [2**power for power in range((largest - 1).bit_length() + 1)])
    return (engine,)


def _litert_engines(model: bytes, card: ModelCard, threads: int) -> tuple[Engine, ...]:
    engines = tuple(LiteRTEngine(model, card.input_shape, threads) for _ in range(2))
    for engine in engines:
        _warm_up(engine, card, [1, 2])  # a new size costs it next to nothing
    return engines


def _takes_gpu(device: Device, folder: Path) -> bool:
    if device == "cpu":
        return False
    obstacle = why_no_gpu()
    if device == "gpu":
        if obstacle:
            raise EngineUnavailableError(
                f"ALEXNET_DEVICE=gpu cannot be met. {obstacle} ALEXNET_DEVICE=cpu does without."
            )
        return True
    if obstacle is None and not (folder / _KERAS_FILE).exists():
        logger.warning("The GPU is not used: %s has no %s.", folder, _KERAS_FILE)
        return False
    return obstacle is None


def _warm_up(engine: Engine, card: ModelCard, batch_sizes: list[int]) -> None:
    for size in batch_sizes:
        answers = engine.predict(np.zeros((size, *card.input_shape), np.uint8))
        shape = answers.probabilities.shape
        if shape != (size, len(card.labels)):
            raise ModelCardError(
                f"The model answers {size} pictures with an array of shape {shape}, but its card "
                f"names {len(card.labels)} labels; export the model again."
            )
        if (answers.typicality is None) != (card.domain is None):
            raise ModelCardError(
                "Of model and card, one tells how typical a picture is and the other does not; "
                "export the model again."
            )
