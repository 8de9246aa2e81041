"""Which engine runs the model on this machine."""

from __future__ import annotations

import logging
from pathlib import Path

from app.card import ModelCard, verified_file
from app.engines.engine import Engine, EngineUnavailableError
from app.engines.gpu import why_no_gpu
from app.engines.warmth import expected_of, warm_up
from app.errors import ModelCardError, StartupError
from app.settings import Device

_KERAS_FILE = "model.keras"

logger = logging.getLogger(__name__)


def takes_gpu(device: Device, folder: Path) -> bool:
    """Whether a model is run on a GPU.

    Raises:
        EngineUnavailableError: "gpu", and none can be used.
    """
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


def load_keras(folder: Path, card: ModelCard, max_batch: int | None) -> Engine:
    """Load the model's file for the GPU, check it against the card and warm it up.

    Args:
        max_batch: The largest batch that the engine will be given; None is its best one.

    Raises:
        ModelCardError: The file is missing, not the one that the card describes, or of no use.
    """
    path = verified_file(folder, card, _KERAS_FILE)
    try:
        from app.engines.keras import KerasEngine

        engine = KerasEngine(path, card.input_shape)
        largest = max_batch or engine.best_batch
        sizes = [2**power for power in range((largest - 1).bit_length() + 1)]
        warm_up(engine, expected_of(card), sizes)
    except StartupError:
        raise
    except Exception as error:  # what runs models raises many types for those that it cannot run
        raise ModelCardError(
            f"The model in {folder} cannot be run ({type(error).__name__}: {error}); export it "
            "again."
        ) from error
    return engine
