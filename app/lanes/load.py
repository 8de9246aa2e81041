"""Lanes of the model that the settings name."""

from __future__ import annotations

from app.card import ModelCard, verified_content
from app.confinement import Order
from app.engines.litert import FILE_NAME
from app.engines.warmth import expected_of
from app.lanes.fork_server import ForkServer
from app.lanes.work import Loading
from app.settings import Settings


def load_lanes(settings: Settings, card: ModelCard) -> ForkServer:
    """Load the model's file, checked against its card, into as many lanes as threads are set.

    Raises:
        ModelCardError: The file is missing, not the one that the card describes, or of no use.
        StartupError: There are no processes to be had.
    """
    height, width, _ = card.input_shape
    order = Order((height, width), settings.max_pixels, settings.max_decode_seconds)
    loading = Loading(expected_of(card), order, settings.threads)
    return ForkServer(verified_content(settings.model, card, FILE_NAME), loading)
