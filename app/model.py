"""The model that is served: its card, and what runs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from app.card import ModelCard, read_card
from app.engines.choice import load_keras, takes_gpu
from app.engines.engine import Engine, Runtime
from app.lanes.fork_server import ForkServer
from app.lanes.load import load_lanes
from app.settings import Settings


class Model(NamedTuple):
    """A card, and what runs what it describes."""

    card: ModelCard
    engines: Sequence[Engine] | ForkServer

    @property
    def engine(self) -> Runtime:
        """What runs it."""
        return self.engines if isinstance(self.engines, ForkServer) else self.engines[0]

    def end(self) -> None:
        """End what runs it, where that is processes."""
        if isinstance(self.engines, ForkServer):
            self.engines.end()

    def __str__(self) -> str:
        return f"{self.card.name} {self.card.version} on {self.engine.name} ({self.engine.device})"


def load_model(settings: Settings) -> Model:
    """Load the model that the settings name, checked and warmed.

    Raises:
        StartupError: It cannot be served here.
    """
    card = read_card(settings.model)
    if takes_gpu(settings.device, settings.model):
        return Model(card, [load_keras(settings.model, card, settings.max_batch)])
    return Model(card, load_lanes(settings, card))
