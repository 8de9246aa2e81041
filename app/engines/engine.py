"""What the service asks of an engine."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.errors import StartupError


class EngineUnavailableError(StartupError):
    """The engine or the device asked for cannot be used here."""


class Engine(Protocol):
    """A loaded network. One thread at a time uses it."""

    @property
    def name(self) -> str:
        """What runs the network, such as "LiteRT"."""

    @property
    def device(self) -> str:
        """Where it runs: "cpu", or "gpu:0" and the GPU's name."""

    def predict(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return probabilities (n, classes) of pictures (n, height, width, 3), n >= 1."""
