"""A loaded model and the threads that answer with it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import NamedTuple

from app.card import ModelCard, read_card
from app.engines.choice import load_engines
from app.engines.engine import Engine
from app.errors import NotReadyError
from app.images import DecodedImage, decode_image
from app.job import Prediction
from app.metrics import Metrics
from app.pipeline import Pipeline
from app.settings import Settings

logger = logging.getLogger(__name__)


class Model(NamedTuple):
    """A card, and the engines that run what it describes."""

    card: ModelCard
    engines: Sequence[Engine]

    @property
    def engine(self) -> Engine:
        """Any of them: they are alike."""
        return self.engines[0]

    def __str__(self) -> str:
        return f"{self.card.name} {self.card.version} on {self.engine.name} ({self.engine.device})"


def load_model(settings: Settings) -> Model:
    """Load the model that the settings name, checked and warmed.

    Raises:
        StartupError: It cannot be served here.
    """
    card = read_card(settings.model)
    engines = load_engines(
        settings.device,
        settings.model,
        card,
        threads=settings.threads,
        max_batch=settings.max_batch,
    )
    return Model(card, engines)


class Service:
    """Classifies pictures, from its making until it is closed."""

    def __init__(self, settings: Settings, model: Model, metrics: Metrics) -> None:
        height, width, _ = model.card.input_shape
        self.settings = settings
        self.model = model
        self._metrics = metrics
        self._pipeline = Pipeline(
            [metrics.counted(engine) for engine in model.engines],
            lambda data: decode_image(
                data, (height, width), settings.max_pixels, settings.max_decode_seconds
            ),
            threads=settings.threads if model.engine.device == "cpu" else settings.threads + 1,
            max_batch=settings.max_batch or model.engine.best_batch,
            max_queue=settings.max_queue,
        )
        metrics.serve(model.card, model.engine, lambda: self._pipeline.waiting)
        logger.info("ready: %s", model)

    def close(self) -> None:
        """Return once what was accepted is answered; accept nothing more."""
        self._pipeline.close()

    def check_ready(self) -> None:
        """Raise NotReadyError if no picture can be predicted."""
        if not self._pipeline.healthy:
            raise NotReadyError("A thread of the service has ended; restart it.")

    def check_room(self) -> None:
        """Raise NotReadyError or OverloadedError if `classify` would."""
        self._pipeline.check_room()

    def classify(self, data: bytes) -> asyncio.Future[Prediction]:
        """Decode and predict one picture file.

        The future raises an ImageError where the bytes are not a picture that can be decoded, and
        a ServiceError where the picture cannot be predicted. To cancel it is to withdraw it.

        Raises:
            UnavailableError: The service takes no more pictures, now or at all.
        """
        answer = self._pipeline.submit(data)
        answer.add_done_callback(self._metrics.count_answer)
        return answer

    def classify_decoded(
        self, images: Sequence[DecodedImage], *, patient: bool = False
    ) -> list[asyncio.Future[Prediction]]:
        """Predict pictures of the network's size, all of them or none; else as `classify`.

        Patient ones let others go first.

        Raises:
            UnavailableError: The service takes no more pictures, now or at all.
        """
        answers = self._pipeline.submit_decoded(images, patient=patient)
        if not patient:  # those are questions about a picture, and no pictures of their own
            for answer in answers:
                answer.add_done_callback(self._metrics.count_answer)
        return answers
