"""Whether a part of the service hangs, so that only a restart would help."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic
from typing import ParamSpec, TypeVar

from app.engines.engine import Answers, Engine, Pictures
from app.errors import NotLiveError

HUNG_SECONDS = 60.0
"""For a batch, for decoding a picture, or for a queue to move: far more than any of them takes, by
the default settings."""

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Work:
    """What threads are doing, each one thing at a time, and since when."""

    def __init__(self) -> None:
        self._began: dict[int, float] = {}
        self._finished = 0  # threads that add to it at once may lose some, but never all
        self._seen = 0
        self._moved = monotonic()

    def __enter__(self) -> None:
        self._began[threading.get_ident()] = monotonic()

    def __exit__(self, *_: object) -> None:
        del self._began[threading.get_ident()]
        self._finished += 1

    def watched(self, function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        """Return the function, each call of which is work."""

        def watched_function(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            with self:
                return function(*args, **kwargs)

        return watched_function

    def watched_engine(self, engine: Engine) -> Engine:
        """Return the engine, each batch of which is work."""
        return _WatchedEngine(engine, self)

    def stalled_seconds(self, waiting: int) -> float:
        """Return how long the longest of it takes already, or what waits has not moved.

        It is to be asked every second or so: it sees what has moved since it was asked last.

        Args:
            waiting: How much more there is to do.
        """
        now = monotonic()
        if not waiting or self._seen != self._finished:
            self._seen = self._finished
            self._moved = now
        return now - min([self._moved, *list(self._began.values())])


class _WatchedEngine:
    def __init__(self, engine: Engine, work: Work) -> None:
        self.name, self.device, self.best_batch = engine.name, engine.device, engine.best_batch
        self._engine = engine
        self._work = work

    def predict(self, pictures: Pictures) -> Answers:
        with self._work:
            return self._engine.predict(pictures)


def check_moving(stalled_seconds: float, longest_seconds: float) -> None:
    """Raise NotLiveError if nothing has moved for that long.

    Args:
        longest_seconds: What the settings allow a picture to take.
    """
    if stalled_seconds >= max(HUNG_SECONDS, 2 * longest_seconds):
        raise NotLiveError(
            f"A part of the service has not moved for {stalled_seconds:.0f} s; restart it."
        )
