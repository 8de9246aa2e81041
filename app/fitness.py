"""Which engines of a pipeline may be given pictures."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engines.engine import Engine

logger = logging.getLogger(__name__)

_REST_SECONDS = 5.0
"""Until an engine that fails is tried again."""


class Suspect(NamedTuple):
    """An engine, and a picture's pixels that it failed on."""

    engine: Engine
    pixels: NDArray[np.uint8]

    def answers(self) -> bool:
        """Whether the engine answers that picture by itself; takes as long as that does."""
        try:
            self.engine.predict([self.pixels])
        except BaseException:  # whatever native code raises
            return False
        return True


class Engines:
    """Engines that are idle, at work, or resting since they failed. Used under a lock."""

    def __init__(self, engines: Sequence[Engine]) -> None:
        self.idle = list(engines)
        self.fit = len(engines)
        """How many are idle or at work."""
        self._unfit: set[Engine] = set()
        self._resting: deque[tuple[float, Suspect]] = deque()

    def judge(self, suspect: Suspect, trusted: bool) -> None:
        """Let an engine that failed, and was at work or tried since, go on or rest."""
        engine = suspect.engine
        if trusted:
            self.idle.append(engine)
        else:
            self._resting.append((perf_counter() + _REST_SECONDS, suspect))
        if trusted and engine in self._unfit:
            logger.warning("An engine that failed answers again.")
            self._unfit.remove(engine)
            self.fit += 1
        elif not trusted and engine not in self._unfit:
            self._unfit.add(engine)
            self.fit -= 1

    def take_rested(self) -> Suspect | None:
        """Return an engine that has rested, to be tried again, if there is one."""
        if self._resting and self.rest_left() == 0:
            return self._resting.popleft()[1]
        return None

    def rest_left(self) -> float | None:
        """Return the seconds until one has rested, or None if none rests."""
        return max(0.0, self._resting[0][0] - perf_counter()) if self._resting else None
