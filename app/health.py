"""Whether a service does what it is there for, and whether only a restart would help it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from time import monotonic
from typing import ParamSpec, TypeVar

from app.engines.engine import Answers, Engine, Pictures
from app.errors import NotLiveError, NotReadyError
from app.pipeline import Pipeline

FAILURES = 3
"""Batches in a row that an engine may fail on before the service is not ready."""
HUNG_SECONDS = 60.0
"""For a batch, or for decoding a picture, before the process counts as hung: ten times what either
takes at worst on a busy machine."""
_LOOK_SECONDS = 1.0
_ENDED = "A thread of the service has ended; restart it."

logger = logging.getLogger(__name__)

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Work:
    """What the threads are doing, and since when."""

    def __init__(self) -> None:
        self._began: dict[int, float] = {}
        self.finished = 0
        """Grows as long as anything is done; threads that add to it at once may lose some."""

    def watched(self, function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        """Return the function, each call of which is work."""

        def watched_function(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            thread = threading.get_ident()
            self._began[thread] = monotonic()
            try:
                return function(*args, **kwargs)
            finally:
                del self._began[thread]
                self.finished += 1

        return watched_function

    def longest_seconds(self) -> float:
        """Return how long the longest of it has taken already."""
        now = monotonic()
        return now - min(list(self._began.values()), default=now)


class WatchedEngine:
    """An engine that knows how often in a row it has failed, and can be tried without a client."""

    def __init__(self, engine: Engine, work: Work, sample: Pictures) -> None:
        """Watch an engine; `sample` is what it is tried with."""
        self.name, self.device, self.best_batch = engine.name, engine.device, engine.best_batch
        self.failures = 0
        self._predict = work.watched(engine.predict)
        self._sample = sample
        self._free = threading.Lock()

    @property
    def failing(self) -> bool:
        """Whether it has failed too often to be relied on."""
        return self.failures >= FAILURES

    def predict(self, pictures: Pictures) -> Answers:
        with self._free:
            try:
                answers = self._predict(pictures)
            except Exception:
                self.failures += 1
                if self.failures == FAILURES:
                    logger.error("The engine failed on %d batches in a row.", FAILURES)
                raise
            if self.failing:
                logger.warning("The engine answers again.")
            self.failures = 0
            return answers

    def try_again(self) -> None:
        """Find out whether it answers again, unless it is at work."""
        if not self._free.locked():
            try:
                self.predict(self._sample)
            except Exception as error:
                logger.debug("The engine fails still: %r", error)


class Health:
    """The health of one process's service: it looks at it every second, until it is closed."""

    def __init__(self, pipeline: Pipeline, engines: Sequence[WatchedEngine], work: Work) -> None:
        self._pipeline = pipeline
        self._engines = engines
        self._work = work
        self._moved = monotonic()
        self._finished = 0
        self._ending = threading.Event()
        threading.Thread(target=self._keep_looking, name="health", daemon=True).start()

    def end(self) -> None:
        """Be ready no more, since the service will end."""
        self._ending.set()

    @property
    def stalled_seconds(self) -> float:
        """How long the longest piece of work has taken, or pictures have waited for any to end."""
        return max(self._work.longest_seconds(), monotonic() - self._moved - _LOOK_SECONDS, 0.0)

    @property
    def obstacle(self) -> str:
        """Why pictures had better go elsewhere, in a sentence; "" where nothing is in their way."""
        if self._ending.is_set():
            return "The service is ending; ask another one."
        if not self._pipeline.healthy:
            return _ENDED
        if any(engine.failing for engine in self._engines):
            return (
                f"The engine failed on {FAILURES} batches in a row; it is tried every second, and "
                "the log says why it fails."
            )
        return ""

    def check_ready(self) -> None:
        """Raise NotReadyError if pictures had better go elsewhere."""
        if obstacle := self.obstacle:
            raise NotReadyError(obstacle)

    def check_live(self) -> None:
        """Raise NotLiveError if only a restart would help."""
        if not self._pipeline.healthy and not self._ending.is_set():
            raise NotLiveError(_ENDED)
        check_moving(self.stalled_seconds)

    def _keep_looking(self) -> None:
        while not self._ending.wait(_LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        if not self._pipeline.waiting or self._finished != self._work.finished:
            self._finished = self._work.finished
            self._moved = monotonic()
        for engine in self._engines:
            if engine.failing:
                engine.try_again()


def check_moving(stalled_seconds: float) -> None:
    """Raise NotLiveError if nothing has moved for that long."""
    if stalled_seconds >= HUNG_SECONDS:
        raise NotLiveError(
            f"Nothing has moved in a part of the service for {stalled_seconds:.0f} s; restart it."
        )
