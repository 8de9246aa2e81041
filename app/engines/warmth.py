"""The first pictures of an engine, which show that it answers as its card says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from app.engines.engine import Engine
from app.errors import ModelCardError

if TYPE_CHECKING:
    from app.card import ModelCard


class Expected(NamedTuple):
    """What a card says of a network's input and output."""

    input_shape: tuple[int, int, int]
    classes: int
    typicality: bool
    """Whether it tells how typical a picture is."""


def expected_of(card: ModelCard) -> Expected:
    """Return what a card says."""
    return Expected(card.input_shape, len(card.labels), card.domain is not None)


def warm_up(engine: Engine, expected: Expected, batch_sizes: Sequence[int]) -> None:
    """Let an engine answer batches of black pictures.

    Raises:
        ModelCardError: Its answers are not of the expected shape.
    """
    for size in batch_sizes:
        answers = engine.predict(np.zeros((size, *expected.input_shape), np.uint8))
        shape = answers.probabilities.shape
        if shape != (size, expected.classes):
            raise ModelCardError(
                f"The model answers {size} pictures with an array of shape {shape}, but its card "
                f"names {expected.classes} labels; export the model again."
            )
        if (answers.typicality is not None) != expected.typicality:
            raise ModelCardError(
                "Of model and card, one tells how typical a picture is and the other does not; "
                "export the model again."
            )
