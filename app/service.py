"""A loaded model, and what answers with it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from app.errors import NotReadyError
from app.health import check_moving
from app.images import DecodedImage, decode_image
from app.job import Prediction
from app.lanes.fork_server import ForkServer
from app.lanes.pipeline import LanePipeline
from app.metrics import Metrics, State
from app.model import Model
from app.pipeline import Pipeline
from app.settings import Settings
from app.tracing import trace_stages

logger = logging.getLogger(__name__)

_CLOSING_SECONDS = 5.0
"""For a batch that is being inferred when nobody needs it any more: more, and the engine hangs."""


class Service:
    """Classifies pictures, from its making until it is closed.

    Requests hold it while they need it: one that is to end, drained or replaced by another, is
    closed once it is free.
    """

    def __init__(self, settings: Settings, model: Model, metrics: Metrics) -> None:
        self.settings = settings
        self.model = model
        self.draining = False
        """Whether it takes no more requests."""
        self.drawing = asyncio.Semaphore(settings.threads)
        """Taken while a heat map is drawn, for which a picture is decoded beside the pipeline."""
        self._held = 0
        self._freed = asyncio.Event()
        self._metrics = metrics
        self._pipeline = _pipeline(settings, model, metrics)
        self._count_answer = metrics.serve(model.card, model.engine, self._look)
        logger.info("ready: %s", model)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep it from being free."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            if not self._held:
                self._freed.set()

    async def free(self) -> None:
        """Return once no request holds it."""
        while self._held:
            self._freed.clear()
            await self._freed.wait()

    def drain(self) -> None:
        """Refuse requests from now on; those that hold it are answered all the same."""
        self.draining = True

    async def close(self) -> None:
        """Answer what was accepted, and accept nothing more."""
        if not await self._pipeline.end(_CLOSING_SECONDS):
            logger.error("The engine hangs, and is left behind.")

    def check_live(self) -> None:
        """Raise NotLiveError if this process, or one beside it, hangs."""
        longest = max(self.settings.answer_seconds, self.settings.max_decode_seconds)
        check_moving(self._metrics.longest_stall(), longest)

    def check_ready(self) -> None:
        """Raise NotReadyError if requests are refused, or no picture can be predicted."""
        if self.draining:
            raise NotReadyError("The service is shutting down; try again in a moment.")
        if not self._pipeline.healthy:
            raise NotReadyError("The engine fails; the service's log says why.")

    def check_room(self) -> None:
        """Raise UnavailableError if a new request cannot be answered."""
        self.check_ready()
        self._pipeline.check_room()

    def classify(self, data: bytes, *, keeps_pixels: bool = False) -> asyncio.Future[Prediction]:
        """Decode and predict one picture file.

        The future raises an ImageError where the bytes are not a picture that can be decoded, and
        a ServiceError where the picture cannot be predicted. To cancel it is to withdraw it.

        Args:
            keeps_pixels: Whether the prediction is to have them.

        Raises:
            UnavailableError: The service takes no more pictures, now or at all.
        """
        answer = self._pipeline.submit(data, keeps_pixels=keeps_pixels)
        self._watch(answer)
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
                self._watch(answer)
        return answers

    def _watch(self, answer: asyncio.Future[Prediction]) -> None:
        answer.add_done_callback(self._count_answer)
        trace_stages(answer)

    def _look(self) -> State:
        waiting = self._pipeline.waiting
        return State(
            waiting=waiting,
            stalled_seconds=self._pipeline.stalled_seconds(),
            ready=self._pipeline.healthy and not self.draining,
        )


def _pipeline(settings: Settings, model: Model, metrics: Metrics) -> Pipeline | LanePipeline:
    max_batch = settings.max_batch or model.engine.best_batch
    if isinstance(model.engines, ForkServer):
        return LanePipeline(
            model.engines,
            max_batch=max_batch,
            max_queue=settings.max_queue,
            count_batch=metrics.count_batch,
            count_fault=metrics.count_fault,
        )
    size = model.card.input_shape[:2]
    return Pipeline(
        model.engines,
        lambda data: decode_image(data, size, settings.max_pixels, settings.max_decode_seconds),
        threads=settings.threads + len(model.engines),  # some wait for engines, others decode
        max_batch=max_batch,
        max_queue=settings.max_queue,
        count_batch=metrics.count_batch,
        count_fault=metrics.count_fault,
    )
