"""Pictures that arrive one by one, given to the engine in batches as they come."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from concurrent.futures import Future
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engines.engine import Engine
from app.errors import InferenceError, NotReadyError, OverloadedError

logger = logging.getLogger(__name__)


class Prediction(NamedTuple):
    """What the engine says of one picture."""

    probabilities: NDArray[np.float32]
    """Shape (classes,)."""
    queue_ms: float
    """From the picture's arrival to its batch's start."""
    inference_ms: float
    """Of the whole batch that the picture was in."""


class _Waiting(NamedTuple):
    pixels: NDArray[np.uint8]
    future: Future[Prediction]
    since: float


class Batcher:
    """A bounded queue and the one thread that uses the engine.

    The thread takes whatever waits, up to `max_batch`, as soon as the engine is free: a
    single picture never waits for company. Every future is resolved: by a prediction, by
    the fault of its own batch, or by the end of the thread.
    """

    def __init__(self, engine: Engine, max_batch: int, max_queue: int) -> None:
        self._engine = engine
        self._max_batch = max_batch
        self._max_queue = max_queue
        self._queue: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._open = True
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)
        self._thread.start()

    @property
    def healthy(self) -> bool:
        """Whether pictures are being accepted and predicted."""
        return self._open

    async def predict(self, pixels: NDArray[np.uint8]) -> Prediction:
        """Predict one picture (height, width, 3); one that is cancelled in the queue is skipped.

        Raises:
            OverloadedError: `max_queue` pictures are waiting.
            NotReadyError: The batcher was closed, or its thread has ended.
            InferenceError: The engine failed on the picture's batch.
        """
        return await asyncio.wrap_future(self.submit(pixels))

    def submit(self, pixels: NDArray[np.uint8]) -> Future[Prediction]:
        """Queue one picture, as `predict` does, and return the future of its prediction."""
        waiting = _Waiting(pixels, Future(), perf_counter())
        with self._changed:
            if not self._open:
                raise NotReadyError("The service is not predicting; try again later.")
            if len(self._queue) >= self._max_queue:
                raise OverloadedError("Too many pictures are waiting; try again in a moment.")
            self._queue.append(waiting)
            self._changed.notify()
        return waiting.future

    def close(self) -> None:
        """Accept no more pictures, and return once those that wait are predicted."""
        with self._changed:
            self._open = False
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        batch: list[_Waiting] = []
        try:
            while batch := self._next_batch():
                self._predict_batch(batch)
        except BaseException:  # whatever ends the thread, every client is told
            logger.critical("The inference thread has ended; restart the service.", exc_info=True)
        finally:
            self._abandon(batch)

    def _next_batch(self) -> list[_Waiting]:
        """Wait for pictures; return none only when the batcher is closed and drained."""
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._queue or not self._open)
                taken = [
                    self._queue.popleft() for _ in range(min(self._max_batch, len(self._queue)))
                ]
                batch = [each for each in taken if each.future.set_running_or_notify_cancel()]
                if batch or not (self._queue or self._open):
                    return batch

    def _predict_batch(self, batch: list[_Waiting]) -> None:
        start = perf_counter()
        try:
            rows = self._engine.predict(np.stack([each.pixels for each in batch]))
            inference_ms = (perf_counter() - start) * 1e3
            predictions = [
                Prediction(row, (start - each.since) * 1e3, inference_ms)
                for each, row in zip(batch, rows, strict=True)
            ]
        except Exception:
            logger.exception("The engine failed on a batch of %d.", len(batch))
            for each in batch:
                each.future.set_exception(InferenceError("The engine failed; try again."))
            return
        for each, prediction in zip(batch, predictions, strict=True):
            each.future.set_result(prediction)

    def _abandon(self, batch: list[_Waiting]) -> None:
        with self._changed:
            self._open = False
            unanswered = [each for each in batch if not each.future.done()]
            waiting = [each for each in self._queue if each.future.set_running_or_notify_cancel()]
            self._queue.clear()
        for each in (*unanswered, *waiting):
            each.future.set_exception(
                NotReadyError("The inference thread has ended; try again later.")
            )
