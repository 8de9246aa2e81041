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

from app.engines.engine import Engine
from app.errors import InferenceError, NotReadyError, OverloadedError
from app.images import DecodedImage
from app.job import Job, Outcome, Prediction, resolve, take

logger = logging.getLogger(__name__)

Decode = Callable[[bytes], DecodedImage]

_PATIENT_SHARE = 4
"""The part of a batch that is kept for patient pictures, while others wait, is one in this."""


class _Task(NamedTuple):
    run: Callable[[], None]
    jobs: list[Job]


class Pipeline:
    """A bounded queue, and threads that each do what is due next: decode a picture, or run a batch.

    A picture is decoded by itself, so that a bad one fails alone, and a batch is what has been
    decoded by the time an engine is free: nothing waits for company. Where the engines compute on
    the cores that decode, a thread first decodes what has arrived, up to the engine's share of it:
    idle engines divide what waits, and one that is busy will have pictures of its own again.

    Pictures that came decoded may be patient: they take what the others leave of the engines, and
    a small share of every batch.

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
        self._most_patient = min(max_batch - 1, -(-max_batch // _PATIENT_SHARE))
        self._max_queue = max_queue
        self._engine_count = len(engines)
        self._decodes_first = engines[0].device == "cpu"
        self._idle_engines = list(engines)
        self._encoded: deque[Job] = deque()
        self._decoded: deque[Job] = deque()
        self._patient: deque[Job] = deque()
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
        """How many pictures wait for an engine, decoded or not, patient ones aside."""
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
            return self._queue(self._encoded, data)

    def submit_decoded(
        self, images: Sequence[DecodedImage], *, patient: bool = False
    ) -> list[asyncio.Future[Prediction]]:
        """Queue pictures of the network's size, all of them or none; else as `submit`.

        Args:
            images: At most `max_queue`.
            patient: Let others go first.
        """
        with self._changed:
            self.check_room()
            waiting = len(self._patient) if patient else self.waiting
            if waiting + len(images) > self._max_queue:
                raise OverloadedError("Too many pictures are waiting; try again in a moment.")
            jobs = self._patient if patient else self._decoded
            return [self._queue(jobs, image) for image in images]

    def _queue(self, jobs: deque[Job], picture: bytes | DecodedImage) -> asyncio.Future[Prediction]:
        job = Job(picture, self._loop.create_future())
        jobs.append(job)
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
                # Again, since what it left to be decoded with may have been withdrawn by now.
                if task := self._due_batch() or self._due_decoding() or self._due_batch():
                    if self._encoded or self._decoded or self._patient:
                        self._changed.notify()
                    return task
                if not self._open:
                    return None
                self._changed.wait()

    def _due_batch(self) -> _Task | None:
        if not self._idle_engines:
            return None
        patient_share = min(len(self._patient), self._most_patient)
        share = min(self._max_batch - patient_share, -(-self.waiting // len(self._idle_engines)))
        if self._decodes_first and self._encoded and len(self._decoded) < share:
            return None
        if batch := take(self._decoded, share):
            batch += take(self._patient, patient_share)
        elif not self.waiting and len(self._idle_engines) == self._engine_count:
            # Whoever comes next finds another engine free, if there is one.
            batch = take(self._patient, self._max_batch)
        if not batch:
            return None
        return _Task(partial(self._infer, self._idle_engines.pop(), batch), batch)

    def _due_decoding(self) -> _Task | None:
        if not (jobs := take(self._encoded, 1)):
            return None
        self._decoding += 1
        return _Task(partial(self._decode_one, jobs[0]), jobs)

    def _decode_one(self, job: Job) -> None:
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

    def _infer(self, engine: Engine, batch: list[Job]) -> None:
        start = perf_counter()
        outcomes: list[Outcome]
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

    def _abandon(self, jobs: list[Job]) -> None:
        with self._changed:
            self._open = False
            left = [*jobs, *self._encoded, *self._decoded, *self._patient]
            for queue in (self._encoded, self._decoded, self._patient):
                queue.clear()
            self._changed.notify_all()
        fault = NotReadyError("A thread of the service has ended; try again later.")
        self._tell([(job, fault) for job in left])

    def _tell(self, outcomes: list[Outcome]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(resolve, outcomes)
