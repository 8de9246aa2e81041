"""Pictures on their way from files to probabilities."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engines.engine import Answers, Engine
from app.errors import InferenceError, NotReadyError, OverloadedError
from app.images import DecodedImage

logger = logging.getLogger(__name__)

Decode = Callable[[bytes], DecodedImage]


class Prediction(NamedTuple):
    """What the engine says of one picture, and how long that took."""

    image: DecodedImage
    probabilities: NDArray[np.float32]
    """Shape (classes,)."""
    typicality: float | None
    """As the engine's answers have it."""
    decode_ms: float
    queue_ms: float
    """Waiting to be decoded, and then for the engine."""
    inference_ms: float
    """Of the whole batch that the picture was in."""


class _Job:
    """One picture, from its arrival to its answer."""

    __slots__ = ("answer", "arrived", "data", "decoded", "decoding", "image")

    def __init__(self, data: bytes, answer: asyncio.Future[Prediction]) -> None:
        self.data = data
        self.answer = answer
        self.image: DecodedImage
        self.arrived = perf_counter()
        self.decoding = self.decoded = 0.0
        """When decoding began and ended."""

    def prediction(
        self, answers: Answers, position: int, start: float, inference_ms: float
    ) -> Prediction:
        typicality = answers.typicality
        return Prediction(
            image=self.image,
            probabilities=answers.probabilities[position],
            typicality=None if typicality is None else float(typicality[position]),
            decode_ms=(self.decoded - self.decoding) * 1e3,
            queue_ms=(self.decoding - self.arrived + start - self.decoded) * 1e3,
            inference_ms=inference_ms,
        )


_Outcome = tuple[_Job, Prediction | Exception]


class _Task(NamedTuple):
    run: Callable[[], None]
    jobs: list[_Job]


class Pipeline:
    """A bounded queue, and threads that each do what is due next: decode a picture, or run a batch.

    A picture is decoded by itself, so that a bad one fails alone, and a batch is what has been
    decoded by the time an engine is free: nothing waits for company. Where the engines compute on
    the cores that decode, a thread first decodes what has arrived, up to the engine's share of it:
    idle engines divide what waits, and one that is busy will have pictures of its own again.

    Every answer comes: a prediction, the fault of the picture or of its batch, or, should a thread
    ever end, NotReadyError. One that is cancelled before its turn costs nothing.
    """

    def __init__(
        self,
        engines: Sequence[Engine],
        decode: Decode,
        *,
        threads: int,
        max_batch: int,
        max_queue: int,
    ) -> None:
        """Start the threads. Must be called, like all else but `close`, where an event loop runs.

        Args:
            engines: Copies of one network.
            decode: Called by any thread.
            threads: At least one for each engine.
            max_batch: The most pictures that an engine is given.
            max_queue: The most pictures that wait for an engine.
        """
        self._loop = asyncio.get_running_loop()
        self._decode = decode
        self._max_batch = max_batch
        self._max_queue = max_queue
        self._decodes_first = engines[0].device == "cpu"
        self._idle_engines = list(engines)
        self._encoded: deque[_Job] = deque()
        self._decoded: deque[_Job] = deque()
        self._decoding = 0
        self._open = True
        self._changed = threading.Condition(threading.Lock())
        self._threads = [
            threading.Thread(target=self._run, name=f"pipeline-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def healthy(self) -> bool:
        """Whether pictures are being accepted and predicted."""
        return self._open

    @property
    def waiting(self) -> int:
        """How many pictures wait for an engine, decoded or not."""
        return len(self._encoded) + self._decoding + len(self._decoded)

    def check_room(self) -> None:
        """Raise what `submit` would raise now."""
        if not self._open:
            raise NotReadyError("The service is not predicting; try again later.")
        if self.waiting >= self._max_queue:
            raise OverloadedError("Too many pictures are waiting; try again in a moment.")

    def submit(self, data: bytes) -> asyncio.Future[Prediction]:
        """Queue one picture's file.

        The future raises what decoding raises, InferenceError where the engine failed on the
        picture's batch, and NotReadyError where a thread has ended.

        Raises:
            OverloadedError: `max_queue` pictures are waiting.
            NotReadyError: The pipeline was closed, or a thread of it has ended.
        """
        with self._changed:
            self.check_room()
            job = _Job(data, self._loop.create_future())
            self._encoded.append(job)
            self._changed.notify()
        return job.answer

    def close(self) -> None:
        """Accept no more pictures, and return once those that wait are predicted."""
        with self._changed:
            self._open = False
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        task = None
        try:
            while task := self._next_task():
                task.run()
        except BaseException:  # whatever ends the thread, every client is told
            logger.critical("A thread of the pipeline ended; restart the service.", exc_info=True)
            self._abandon(task.jobs if task else [])

    def _next_task(self) -> _Task | None:
        """Wait for something to do; return None only when closed and drained."""
        with self._changed:
            while True:
                if task := self._due_batch() or self._due_decoding():
                    if self._encoded or self._decoded:
                        self._changed.notify()
                    return task
                if not self._open:
                    return None
                self._changed.wait()

    def _due_batch(self) -> _Task | None:
        if not self._idle_engines:
            return None
        share = min(self._max_batch, -(-self.waiting // len(self._idle_engines)))
        if self._decodes_first and self._encoded and len(self._decoded) < share:
            return None
        if not (batch := _taken(self._decoded, share)):
            return None
        return _Task(partial(self._infer, self._idle_engines.pop(), batch), batch)

    def _due_decoding(self) -> _Task | None:
        if not (jobs := _taken(self._encoded, 1)):
            return None
        self._decoding += 1
        return _Task(partial(self._decode_one, jobs[0]), jobs)

    def _decode_one(self, job: _Job) -> None:
        job.decoding = perf_counter()
        try:
            job.image = self._decode(job.data)
        except Exception as error:
            with self._changed:
                self._decoding -= 1
            self._tell([(job, error)])
            return
        job.data = b""  # megabytes that nobody needs any more
        job.decoded = perf_counter()
        with self._changed:
            self._decoding -= 1
            self._decoded.append(job)

    def _infer(self, engine: Engine, batch: list[_Job]) -> None:
        start = perf_counter()
        outcomes: list[_Outcome]
        try:
            answers = engine.predict([job.image.pixels for job in batch])
            inference_ms = (perf_counter() - start) * 1e3
            outcomes = [
                (job, job.prediction(answers, position, start, inference_ms))
                for position, job in zip(range(len(answers.probabilities)), batch, strict=True)
            ]
        except Exception:
            logger.exception("The engine failed on a batch of %d.", len(batch))
            fault = InferenceError("The engine failed; try again.")
            outcomes = [(job, fault) for job in batch]
        with self._changed:
            self._idle_engines.append(engine)
        self._tell(outcomes)

    def _abandon(self, jobs: list[_Job]) -> None:
        with self._changed:
            self._open = False
            left = [*jobs, *self._encoded, *self._decoded]
            self._encoded.clear()
            self._decoded.clear()
            self._changed.notify_all()
        fault = NotReadyError("A thread of the service has ended; try again later.")
        self._tell([(job, fault) for job in left])

    def _tell(self, outcomes: list[_Outcome]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(_resolve, outcomes)


def _taken(jobs: deque[_Job], most: int) -> list[_Job]:
    """Remove and return the first jobs, dropping those whose clients have gone."""
    taken: list[_Job] = []
    while jobs and len(taken) < most:
        job = jobs.popleft()
        if not job.answer.done():
            taken.append(job)
    return taken


def _resolve(outcomes: list[_Outcome]) -> None:
    for job, outcome in outcomes:
        if job.answer.done():
            continue
        if isinstance(outcome, Exception):
            job.answer.set_exception(outcome)
        else:
            job.answer.set_result(outcome)
