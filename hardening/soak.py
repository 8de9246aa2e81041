"""A service that is kept busy for a long time."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil

from benchmarks.load import Bodies, Load, post
from benchmarks.server import Server
from benchmarks.service import PATH, product
from hardening.state import alarms, family

CONNECTIONS = 64
"""More than it takes to keep all cores busy."""
_PARTS = 30
_LEAST_PART_SECONDS = 2.0
_SAMPLING_SECONDS = 1.0
_WARM_UP_SHARE = 6
_SLOPE_SECONDS = 600


class Sample(NamedTuple):
    """How much memory the service had to itself."""

    seconds: float
    """Since the first one."""
    mb: float
    """Private memory (USS) of all its processes, in 10^6 bytes."""


class Soaked(NamedTuple):
    """What was measured."""

    parts: list[Load]
    """One after the other."""
    requests: int
    """That were answered with success."""
    samples: list[Sample]
    alarms: list[str]
    """Lines of the log that tell of errors."""

    @property
    def settled(self) -> list[Sample]:
        """The samples after the first sixth of the time."""
        return self.samples[len(self.samples) // _WARM_UP_SHARE :]

    @property
    def p99_ratio(self) -> float:
        """Of the last third's p99 to the first third's, each the median of its parts'."""
        third = len(self.parts) // 3
        first, last = (
            statistics.median(part.p99_ms for part in parts)
            for parts in (self.parts[:third], self.parts[-third:])
        )
        return last / first


def soak(log: Path, forms: Bodies, seconds: float) -> Soaked:
    """Keep a service busy, and watch its memory; p99 is that of each of some thirty parts."""
    part_seconds = max(_LEAST_PART_SECONDS, seconds / _PARTS)
    parts, requests = [], 0.0
    with product(log) as server, _watched(server) as samples:
        for _ in range(max(3, round(seconds / part_seconds))):
            part = post(server.port, PATH, forms, connections=CONNECTIONS, seconds=part_seconds)
            requests += part.per_second * part_seconds
            parts.append(part)
    return Soaked(parts, round(requests), samples, alarms(log))


def slope(samples: Sequence[Sample]) -> float:
    """Return by how many MB memory grows in ten minutes, by linear regression."""
    seconds, mb = np.array(samples).T
    return float(np.polyfit(seconds, mb, deg=1)[0]) * _SLOPE_SECONDS


@contextmanager
def _watched(server: Server) -> Iterator[list[Sample]]:
    samples: list[Sample] = []
    start = time.perf_counter()
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_SAMPLING_SECONDS):
            samples.append(Sample(time.perf_counter() - start, _private_mb(family(server))))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield samples
    finally:
        ended.set()
        thread.join()


def _private_mb(processes: Sequence[psutil.Process]) -> float:
    return sum(float(process.memory_full_info().uss) for process in processes) / 1e6
