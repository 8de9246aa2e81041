"""Pictures on their way through threads, to engines that do not compute on the cores here."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter
from typing import NamedTuple

from app.engines.engine import Engine
from app.errors import (
    DecodingError,
    InferenceError,
    NotReadyError,
    StartupError,
)
from app.fitness import Engines, Suspect
from app.health import Work
from app.images import DecodedImage, ImageError
from app.job import Fault, Job, Outcome, Prediction, resolve
from app.pending import Pending
from app.request_id import request_id
from app.room import check_fits, check_room

logger = logging.getLogger(__name__)

Decode = Callable[[bytes], DecodedImage]


class _Task(NamedTuple):
    run: Callable[[], object]
    jobs: list[Job]


class Pipeline:
    """A bounded queue, and threads that each do what is due next: decode a picture, or run a batch.

    A picture is decoded by itself, so that a bad one fails alone, and a batch is what has been
    decoded by the time an engine is free: nothing waits for company. Idle engines divide what
    waits.

    Pictures that came decoded may be patient: they take what the others leave of the engines, and
    a small share of every batch.

    Every answer comes: a prediction, the fault of the picture or of its batch, or NotReadyError.
    Whatever decoder and engines raise, the threads live on. An engine that failed must answer a
    single picture before it is given others, and is tried again until it does. One that is
    cancelled before its turn costs nothing.
    """

    def __init__(
        self,
        engines: Sequence[Engine],
        decode: Decode,
        *,
        threads: int,
        max_batch: int,
        max_queue: int,
        count_batch: Callable[[int], None],
        count_fault: Callable[[Fault], None],
    ) -> None:
        """Start the threads. Must be called, like all else but `close`, where an event loop runs.

        Args:
            engines: Copies of one network.
            decode: Called by any thread.
            threads: At least one for each engine.
            max_batch: The most pictures that an engine is given.
            max_queue: The most pictures that wait for an engine.
            count_batch: Called by any thread with the size of each batch that an engine is given.
            count_fault: Called by any thread for each decoding or batch that failed unexpectedly.

        Raises:
            StartupError: There are fewer threads to be had.
        """
        self._loop = asyncio.get_running_loop()
        self._work = Work()
        self._decode = self._work.watched(decode)
        self._max_queue = max_queue
        self._count_batch = count_batch
        self._count_fault = count_fault
        self._engines = Engines([self._work.watched_engine(engine) for engine in engines])
        self._pending = Pending(max_batch)
        self._open = True
        self._changed = threading.Condition(threading.Lock())
        self._threads = [
            threading.Thread(target=self._run, name=f"pipeline-{number}", daemon=True)
            for number in range(threads)
        ]
        try:
            for thread in self._threads:
                thread.start()
        except RuntimeError as error:
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            self.close()
            raise StartupError(
                f"The system gives no {threads} threads; set ALEXNET_THREADS lower, or its limit "
                "of processes higher."
            ) from error

    @property
    def healthy(self) -> bool:
        """Whether pictures are being accepted and predicted."""
        return self._open and self._engines.fit > 0

    @property
    def waiting(self) -> int:
        """How many pictures wait for an engine, decoded or not, patient ones aside."""
        return self._pending.prompt

    def stalled_seconds(self) -> float:
        """How long nothing has moved."""
        return self._work.stalled_seconds(self.waiting)

    def check_room(self) -> None:
        """Raise what `submit` would raise now."""
        check_room(healthy=self.healthy, waiting=self.waiting, max_queue=self._max_queue)

    def submit(self, data: bytes, *, keeps_pixels: bool = True) -> asyncio.Future[Prediction]:
        """Queue one picture's file. Its prediction has the pixels in any case.

        The future raises an ImageError where the bytes are not a picture that can be decoded,
        DecodingError where decoding failed for another reason, InferenceError where the engine
        failed on the picture's batch, and NotReadyError where every engine has failed since.

        Raises:
            OverloadedError: `max_queue` pictures are waiting.
            NotReadyError: The pipeline was closed, or every engine fails.
        """
        with self._changed:
            self.check_room()
            return self._queue(data)

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
            waiting = self._pending.patient if patient else self.waiting
            check_fits(waiting + len(images), self._max_queue)
            return [self._queue(image, patient=patient) for image in images]

    def _queue(
        self, picture: bytes | DecodedImage, *, patient: bool = False
    ) -> asyncio.Future[Prediction]:
        job = Job(picture, self._loop.create_future())
        job.answer.add_done_callback(partial(self._forget, job))
        self._pending.append(job, patient=patient)
        self._changed.notify()
        return job.answer

    def _forget(self, job: Job, answer: asyncio.Future[Prediction]) -> None:
        """Take a picture that was withdrawn from its queue, with the megabytes of its file."""
        if not answer.cancelled():
            return
        with self._changed:
            self._pending.remove(job)
            self._changed.notify()

    def close(self, seconds: float | None = None) -> bool:
        """Accept no more pictures, and wait until those that wait are predicted.

        Args:
            seconds: The most that this may take, should an engine or a decoder hang.

        Returns:
            Whether all threads have ended.
        """
        with self._changed:
            self._open = False
            self._changed.notify_all()
        end = None if seconds is None else perf_counter() + seconds
        for thread in self._threads:
            thread.join(None if end is None else max(0.0, end - perf_counter()))
        return not any(thread.is_alive() for thread in self._threads)

    async def end(self, seconds: float) -> bool:
        """Close without keeping the event loop from its work."""
        return await asyncio.to_thread(self.close, seconds)

    def _run(self) -> None:
        task: _Task | None = None
        while True:
            try:
                if (task := self._next_task()) is None:
                    return
                request_id.set(",".join(job.request_id for job in task.jobs))
                task.run()
            except BaseException:  # none that decoder or engine raised
                with contextlib.suppress(BaseException):
                    self._abandon(task.jobs if task else [])

    def _next_task(self) -> _Task | None:
        """Wait for something to do; return None only when closed and drained."""
        with self._changed:
            while True:
                if task := self._due_trial() or self._due_batch() or self._due_decoding():
                    if self._pending:
                        self._changed.notify()
                    return task
                if not self._open:
                    return None
                self._changed.wait(self._engines.rest_left())

    def _due_trial(self) -> _Task | None:
        if not self._engines.fit and (jobs := self._pending.take_all()):
            fault = NotReadyError("The engine fails; try again later.")
            return _Task(partial(self._tell, [(job, fault) for job in jobs]), jobs)
        if self._open and (suspect := self._engines.take_rested()):
            return _Task(partial(self._try, suspect), [])
        return None

    def _due_batch(self) -> _Task | None:
        idle = self._engines.idle
        if not idle:
            return None
        if not (batch := self._pending.next_batch(len(idle), self._engines.fit)):
            return None
        return _Task(partial(self._infer, idle.pop(), batch), batch)

    def _due_decoding(self) -> _Task | None:
        if (job := self._pending.next_encoded()) is None:
            return None
        return _Task(partial(self._decode_one, job), [job])

    def _decode_one(self, job: Job) -> None:
        job.decoding = perf_counter()
        fault: Exception | None = None
        unexpected: BaseException | None = None
        try:
            job.image = self._decode(job.data)
        except ImageError as error:
            fault = error
        except BaseException as error:  # decoders are native code, and memory may be short
            fault = DecodingError("The picture could not be decoded; try again.")
            unexpected = error
        job.data = b""  # megabytes that nobody needs any more
        job.decoded = perf_counter()
        with self._changed:
            self._pending.decoded(job if fault is None else None)
        if unexpected is not None:
            self._count_fault("decode")
            logger.error("Decoding failed unexpectedly.", exc_info=unexpected)
        if fault is not None:
            self._tell([(job, fault)])

    def _infer(self, engine: Engine, batch: list[Job]) -> None:
        self._count_batch(len(batch))
        start = perf_counter()
        outcomes: list[Outcome]
        try:
            answers = engine.predict([job.image.pixels for job in batch])
            inference_ms = (perf_counter() - start) * 1e3
            outcomes = [
                (job, job.prediction(answers, position, start, inference_ms))
                for position, job in zip(range(len(answers.probabilities)), batch, strict=True)
            ]
        except BaseException as error:  # as above
            fault = InferenceError("The engine failed; try again.")
            self._count_fault("inference")
            self._tell([(job, fault) for job in batch])
            trusted = self._try(Suspect(engine, batch[0].image.pixels))
            after = "goes on" if trusted else "fails on a single picture too, and rests"
            logger.error("The engine failed on a batch; it %s.", after, exc_info=error)
            return
        with self._changed:
            self._engines.idle.append(engine)
        self._tell(outcomes)

    def _try(self, suspect: Suspect) -> bool:
        """Return whether an engine that failed may go on, having put it where it belongs."""
        trusted = suspect.answers()
        with self._changed:
            self._engines.judge(suspect, trusted)
            self._changed.notify()
        return trusted

    def _abandon(self, jobs: list[Job]) -> None:
        """Answer a fault of the pipeline itself: fail what it was about, and all that waits."""
        with self._changed:
            left = [*jobs, *self._pending.take_all()]
        fault = InferenceError("The service failed; try again.")
        self._count_fault("pipeline")
        self._tell([(job, fault) for job in left])
        logger.critical("The pipeline failed; all that waited was given up.", exc_info=True)

    def _tell(self, outcomes: list[Outcome]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(resolve, outcomes)
