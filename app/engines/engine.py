"""What the service asks of an engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from app.errors import StartupError

Pictures: TypeAlias = NDArray[np.uint8] | Sequence[NDArray[np.uint8]]
"""Of shape (n, height, width, 3), or n >= 1 of shape (height, width, 3)."""


class Answers(NamedTuple):
    """What a network says of n pictures."""

    probabilities: NDArray[np.float32]
    """Shape (n, classes)."""
    typicality: NDArray[np.float32] | None
    """Shape (n,), the higher the more like the pictures that the network was trained on; None from
    a network that cannot tell."""


class EngineUnavailableError(StartupError):
    """The engine or the device asked for cannot be used here."""


class Runtime(Protocol):
    """What runs a network."""

    @property
    def name(self) -> str:
        """What runs the network, such as "LiteRT"."""

    @property
    def device(self) -> str:
        """Where it runs: "cpu", or "gpu:0" and the GPU's name.

        Where another process has it, "remote" goes before that.
        """

    @property
    def best_batch(self) -> int:
        """How many pictures at once it answers at its best rate; more only wait for each other."""


class Engine(Runtime, Protocol):
    """A loaded network. One thread at a time uses it."""

    def predict(self, pictures: Pictures) -> Answers:
        """Return the network's answers to the n pictures, in their order."""
