"""What the machine can do: decode, resize and infer in one process, without HTTP."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engines.engine import Answers
from app.engines.litert import LiteRTEngine
from app.images import decode_image

SHAPE = (227, 227, 3)
_BATCHES = (4, 8, 16)

Measure = Callable[[float], float]
"""From seconds to pictures a second."""


class Arrangement(NamedTuple):
    """A way to keep the cores busy."""

    name: str
    batch: int
    measure: Measure


def arrangements(model: Path, pictures: list[bytes], cores: int) -> Iterator[Arrangement]:
    """Yield every arrangement of threads, at every batch size."""
    for batch in _BATCHES:
        yield Arrangement(
            f"{cores} threads, each decoding and inferring for itself",
            batch,
            _Lanes(model, pictures, cores, batch).measure,
        )
        yield Arrangement(
            f"{cores} threads that decode, then one engine of {cores} threads",
            batch,
            _Phases(model, pictures, cores, batch).measure,
        )


def single_picture_ms(model: Path, pictures: list[bytes], cores: int, seconds: float) -> float:
    """Return the median time to decode and infer one picture with all cores."""
    engine = _warm_engine(model, cores, 1)
    source = cycle(pictures)
    times = []
    deadline = time.perf_counter() + seconds
    while (start := time.perf_counter()) < deadline:
        engine.predict([decode_image(next(source), SHAPE[:2]).pixels])
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


class _Lanes:
    def __init__(self, model: Path, pictures: list[bytes], cores: int, batch: int) -> None:
        self._engines = [_warm_engine(model, 1, batch) for _ in range(cores)]
        self._pictures = pictures
        self._batch = batch

    def measure(self, seconds: float) -> float:
        def run(engine: LiteRTEngine) -> float:
            source = cycle(self._pictures)

            def once() -> int:
                pixels = [decode_image(next(source), SHAPE[:2]).pixels for _ in range(self._batch)]
                engine.predict(pixels)
                return self._batch

            return _rate(seconds, once)

        with ThreadPoolExecutor(len(self._engines)) as threads:
            return sum(threads.map(run, self._engines))


class _Phases:
    def __init__(self, model: Path, pictures: list[bytes], cores: int, batch: int) -> None:
        self._engine = _warm_engine(model, cores, batch)
        self._pool = ThreadPoolExecutor(cores)
        self._source = cycle(pictures)
        self._batch = batch

    def measure(self, seconds: float) -> float:
        def once() -> int:
            files = [next(self._source) for _ in range(self._batch)]
            decoded = self._pool.map(lambda data: decode_image(data, SHAPE[:2]).pixels, files)
            self._engine.predict(list(decoded))
            return self._batch

        return _rate(seconds, once)


def engine_rate(
    predict: Callable[[NDArray[np.uint8]], Answers], batch: int, seconds: float
) -> float:
    """Return how many pictures a second an engine answers, in batches of one size."""
    pixels = np.random.default_rng(0).integers(0, 256, (batch, *SHAPE), np.uint8)

    def once() -> int:
        predict(pixels)
        return batch

    once()
    return _rate(seconds, once)


def _warm_engine(model: Path, threads: int, batch: int) -> LiteRTEngine:
    engine = LiteRTEngine(model, SHAPE, threads)
    engine.predict(np.zeros((batch, *SHAPE), np.uint8))
    return engine


def _rate(seconds: float, once: Callable[[], int]) -> float:
    done = 0
    start = time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        done += once()
    return done / elapsed
