"""Which engine runs the model on this machine."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from app.card import ModelCard, ModelCardError, verified_file
from app.engines.engine import Engine, EngineUnavailableError
from app.engines.gpu import why_no_gpu
from app.engines.litert import FILE_NAME as LITERT_FILE
from app.engines.litert import LiteRTEngine
from app.settings import Device

_KERAS_FILE = "model.keras"

logger = logging.getLogger(__name__)


def load_engine(
    device: Device, folder: Path, card: ModelCard, *, threads: int, max_batch: int
) -> Engine:
    """Load the model's file for the device, check it against the card and warm it up.

    Args:
        device: "auto" takes the GPU if there is one and a `model.keras` for it.
        threads: Of LiteRT.
        max_batch: The largest batch that the engine will be given.

    Raises:
        EngineUnavailableError: "gpu", and none can be used.
        ModelCardError: The file is missing or not the one that the card describes.
    """
    engine: Engine
    if _takes_gpu(device, folder):
        from app.engines.keras import KerasEngine

        path = verified_file(folder, card, _KERAS_FILE)
        engine = KerasEngine(path, card.input_shape)
        _warm_up(engine, card, [2**power for power in range((max_batch - 1).bit_length() + 1)])
    else:
        path = verified_file(folder, card, LITERT_FILE)
        engine = LiteRTEngine(path, card.input_shape, threads)
        _warm_up(engine, card, [1, min(2, max_batch)])  # a new size costs it next to nothing
    return engine


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
        shape = engine.predict(np.zeros((size, *card.input_shape), np.uint8)).shape
        if shape != (size, len(card.labels)):
            raise ModelCardError(
                f"The model answers {size} pictures with an array of shape {shape}, but its card "
                f"names {len(card.labels)} labels; export the model again."
            )
