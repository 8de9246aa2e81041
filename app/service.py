"""A loaded model and the threads that answer with it."""

from __future__ import annotations

import logging
from typing import NamedTuple

from app.batcher import Batcher, Prediction
from app.card import ModelCard, read_card
from app.decoder import Decoder, Decoding
from app.engines.choice import load_engine
from app.engines.engine import Engine
from app.errors import NotReadyError
from app.settings import Settings

logger = logging.getLogger(__name__)


class Model(NamedTuple):
    """A card and the engine that runs what it describes."""

    card: ModelCard
    engine: Engine

    def __str__(self) -> str:
        return f"{self.card.name} {self.card.version} on {self.engine.name} ({self.engine.device})"


def load_model(settings: Settings) -> Model:
    """Load the model that the settings name, checked and warmed.

    Raises:
        StartupError: It cannot be served here.
    """
    card = read_card(settings.model)
    engine = load_engine(
        settings.device,
        settings.model,
        card,
        threads=settings.threads,
        max_batch=settings.max_batch,
    )
    return Model(card, engine)


class Service:
    """Classifies pictures, from its making until it is closed."""

    def __init__(self, settings: Settings, model: Model) -> None:
        height, width, _ = model.card.input_shape
        self.settings = settings
        self.model = model
        self._decoder = Decoder(
            (height, width),
            max_pixels=settings.max_pixels,
            threads=settings.decoders,
            max_queue=settings.max_queue,
        )
        self._batcher = Batcher(model.engine, settings.max_batch, settings.max_queue)
        logger.info("ready: %s", model)

    def close(self) -> None:
        """Return once what was accepted is answered; accept nothing more."""
        self._decoder.close()
        self._batcher.close()

    def check_ready(self) -> None:
        """Raise NotReadyError if no picture can be predicted."""
        if not self._batcher.healthy:
            raise NotReadyError("The inference thread has ended; restart the service.")

    async def classify(self, data: bytes) -> tuple[Decoding, Prediction]:
        """Decode and predict one picture file.

        Raises:
            ImageError: The bytes are not a picture that can be decoded.
            ServiceError: The picture cannot be predicted, now or at all.
        """
        decoding = await self._decoder.decode(data)
        return decoding, await self._batcher.predict(decoding.image.pixels)
