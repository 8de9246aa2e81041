"""Pictures on their way through lanes, from files to probabilities."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from time import monotonic

from app.errors import InferenceError, NotReadyError
from app.images import BrokenImageError, DecodedImage
from app.job import Fault, Job, Prediction, resolve
from app.lanes.answer import EngineError, read_answer
from app.lanes.feeding import COMPANY_SECONDS, Feeder
from app.lanes.fork_server import ENDING_SECONDS, ForkServer
from app.lanes.lane import Lane
from app.lanes.queue import Queue
from app.lanes.weight import is_heavy
from app.request_id import request_id
from app.room import check_fits, check_room

logger = logging.getLogger(__name__)

_REST_SECONDS = 5.0
"""Until it is tried again to replace a lane, where that failed."""
_ANSWER_SECONDS = 30.0
"""For a lane to answer, beside the longest that a picture may be decoded: more, and it hangs."""
_LOOKING_SECONDS = 1.0
_REPLACING_SECONDS = 1.0
"""That it should not take to replace a lane."""
_WITHOUT_LANES_SECONDS = 5.0
"""After which no more pictures are accepted: other lanes are there in much less."""


class LanePipeline:
    """A bounded queue, and lanes that take from it.

    Every answer comes: a prediction, a fault of the picture, or NotReadyError. A lane that ends,
    hangs or fails is replaced, and each picture that it had is tried once more, by itself: one that
    brings a lane down fails alone. One that is cancelled before its turn costs nothing.

    All of it runs in the event loop's thread.
    """

    def __init__(
        self,
        server: ForkServer,
        *,
        max_batch: int,
        max_queue: int,
        count_batch: Callable[[int], None],
        count_fault: Callable[[Fault], None],
    ) -> None:
        """Let the lanes work. Must be called where an event loop runs.

        Args:
            max_batch: The most pictures that a lane is given at once.
            max_queue: The most pictures that wait for a lane.
            count_batch: Called with the size of each batch that was predicted.
            count_fault: Called for each failure that is no picture's own fault.
        """
        self._loop = asyncio.get_running_loop()
        self._server = server
        self._max_queue = max_queue
        self._count_batch = count_batch
        self._count_fault = count_fault
        self._size = server.loading.order.size
        self._longest_seconds = _ANSWER_SECONDS + server.loading.order.max_seconds
        self._queue = Queue()
        self._feeder = Feeder(self._queue, max_batch)
        self._timer: asyncio.TimerHandle | None = None
        self._lanes: dict[int, Lane] = {}
        self._fit = len(server.processes)
        self._open = True
        self._lane_left = self._answered = monotonic()
        self._moved = asyncio.Event()
        self._tasks = [self._loop.create_task(self._keep(place)) for place in range(self._fit)]
        self._tasks.append(self._loop.create_task(self._end_late_lanes()))

    @property
    def healthy(self) -> bool:
        """Whether pictures are being accepted and predicted."""
        late = not self._lanes and monotonic() - self._lane_left > _WITHOUT_LANES_SECONDS
        return self._open and self._fit > 0 and not late

    @property
    def waiting(self) -> int:
        """How many pictures wait for a lane, patient ones aside."""
        return self._queue.waiting

    def stalled_seconds(self) -> float:
        """How long the lane that is longest at it has not answered, or none has what waits."""
        unanswered = monotonic() - self._answered if self.waiting else 0.0
        return max([unanswered, *(lane.busy_seconds for lane in self._lanes.values())])

    def check_room(self) -> None:
        """Raise what `submit` would raise now."""
        check_room(healthy=self.healthy, waiting=self.waiting, max_queue=self._max_queue)

    def submit(self, data: bytes, *, keeps_pixels: bool = False) -> asyncio.Future[Prediction]:
        """Queue one picture's file.

        The future raises an ImageError where the bytes are not a picture that can be decoded,
        DecodingError where decoding failed for another reason, InferenceError where the engine
        failed on it twice, and NotReadyError where no lane is left.

        Args:
            keeps_pixels: Whether the prediction is to have them.

        Raises:
            OverloadedError: `max_queue` pictures are waiting.
            NotReadyError: The pipeline was closed, or has no lane.
        """
        self.check_room()
        job = Job(data, self._loop.create_future(), keeps_pixels=keeps_pixels)
        job.goes_alone = is_heavy(data)
        self._enqueue([job], patient=False)
        return job.answer

    def submit_decoded(
        self, images: Sequence[DecodedImage], *, patient: bool = False
    ) -> list[asyncio.Future[Prediction]]:
        """Queue pictures of the network's size, all of them or none; else as `submit`.

        Args:
            images: At most `max_queue`.
            patient: Let others go first.
        """
        self.check_room()
        waiting = self._queue.patient if patient else self.waiting
        check_fits(waiting + len(images), self._max_queue)
        jobs = [Job(image, self._loop.create_future()) for image in images]
        self._enqueue(jobs, patient=patient)
        return [job.answer for job in jobs]

    async def end(self, seconds: float) -> bool:
        """Accept no more pictures, predict those that wait, and end the lanes.

        Args:
            seconds: The most that predicting may take.

        Returns:
            Whether that was enough.
        """
        self._open = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._has_work:
                    self._moved.clear()
                    await self._moved.wait()
        in_time = not self._has_work
        self._refuse_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        # What hangs has been waited for already.
        await asyncio.to_thread(self._server.end, ENDING_SECONDS if in_time else 0.0)
        return in_time

    @property
    def _has_work(self) -> bool:
        waiting = self.waiting or self._queue.patient
        return bool(waiting) or any(lane.pictures for lane in self._lanes.values())

    def _enqueue(self, jobs: Iterable[Job], *, patient: bool) -> None:
        if not self.waiting:
            self._answered = monotonic()  # there was nothing to answer
        for job in jobs:
            job.answer.add_done_callback(partial(self._forget, job))
            self._queue.append(job, patient=patient)
        self._feed()

    def _forget(self, job: Job, answer: asyncio.Future[Prediction]) -> None:
        """Take a picture that was withdrawn from the queue, with the megabytes of its file."""
        if answer.cancelled():
            self._queue.remove(job)
            self._moved.set()

    def _feed(self) -> None:
        lanes = [self._lanes[place] for place in sorted(self._lanes)]
        if self._feeder.feed(lanes) and self._timer is None:
            self._timer = self._loop.call_later(COMPANY_SECONDS, self._feed_late)

    def _feed_late(self) -> None:
        self._timer = None
        self._feed()

    async def _keep(self, place: int) -> None:
        """Keep a lane at work, or another one in its place."""
        while True:
            try:
                lane = await Lane.of(self._server.processes[place])
            except OSError as error:
                self._take_back([], error)
            else:
                self._lanes[place] = lane
                self._queue.let_go()
                await self._work(lane, place)
            await self._replace(place)

    async def _work(self, lane: Lane, place: int) -> None:
        """Return once a lane has ended, and with it what it had is back in the queue."""
        try:
            self._feed()
            while True:
                await self._hear(lane)
        except Exception as error:
            del self._lanes[place]
            self._lane_left = monotonic()
            begun, later = lane.take_all()
            self._queue.give_back(later)
            self._take_back(begun, error)
            self._feed()
        finally:
            await lane.close()

    async def _hear(self, lane: Lane) -> None:
        batch, message = await lane.answer()
        answer = read_answer(batch, message, self._size)
        lane.answered()
        self._answered = monotonic()
        self._queue.give_back(answer.rest)
        try:
            self._feed()  # before anything else: its core is idle
        finally:
            resolve(answer.outcomes)
            self._moved.set()
        if answer.predicted:
            self._count_batch(answer.predicted)
        for job, traceback in answer.unexpected:
            request_id.set(job.request_id)
            self._count_fault("decode")
            logger.error("Decoding failed unexpectedly.\n%s", traceback)

    def _take_back(self, jobs: Sequence[Job], error: Exception) -> None:
        """Let what a lane did not answer be tried once more, each picture by itself."""
        request_id.set(",".join(job.request_id for job in jobs))
        died = isinstance(error, EOFError | OSError)
        if died:
            self._count_fault("lane")
        elif isinstance(error, EngineError):
            self._count_fault("inference")
            logger.error("The engine failed on %d pictures.\n%s", len(jobs), error)
        else:
            self._count_fault("pipeline")
            logger.critical("The pipeline failed on %d pictures.", len(jobs), exc_info=error)
        again = []
        for job in jobs:
            if job.answer.done():  # its client has gone
                continue
            if not job.failed:
                job.failed = job.goes_alone = True
                again.append(job)
            elif died and job.encoded:
                ended = "The image ended its decoder; send it again from an intact file."
                resolve([(job, BrokenImageError(ended))])
            else:
                resolve([(job, InferenceError("The engine failed; try again."))])
        if again:
            self._queue.hold(again)  # until there is another lane: others may be ending too
            self._loop.call_later(_REPLACING_SECONDS, self._retry_elsewhere)
        self._moved.set()

    def _retry_elsewhere(self) -> None:
        """Give what waits for another lane to those that are left, which are not ending."""
        if self._lanes:
            self._queue.let_go()
            self._feed()

    async def _replace(self, place: int) -> None:
        """Return once another lane can be talked with in that place."""
        fit = True
        while True:
            try:
                fate = await asyncio.to_thread(self._server.replace, place)
                break
            except Exception as error:  # such as one more thread that cannot be had
                logger.error("A lane cannot be replaced, which is tried again. %s", error)
                self._fit -= fit
                fit = False
                self._queue.let_go()
                self._feed()
                if not self._fit:
                    self._refuse_all()
                await asyncio.sleep(_REST_SECONDS)
        logger.error("A lane ended (%s); another one takes its place.", fate)
        self._fit += not fit

    async def _end_late_lanes(self) -> None:
        """End lanes that hang: what they had is taken back."""
        while True:
            await asyncio.sleep(_LOOKING_SECONDS)
            for lane in self._lanes.values():
                if lane.busy_seconds > self._longest_seconds:
                    logger.error("A lane hangs, and is ended.")
                    lane.process.kill()

    def _refuse_all(self) -> None:
        jobs = self._queue.take_all()
        for lane in self._lanes.values():
            for left in lane.take_all():
                jobs += left
        fault = NotReadyError("No process is left that predicts; try again later.")
        resolve([(job, fault) for job in jobs])
        self._moved.set()
