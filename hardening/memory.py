"""The memory of a service that is kept busy."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import psutil

from benchmarks.server import Server, of_each
from hardening.state import family

_SAMPLING_SECONDS = 1.0
_SLOPE_SECONDS = 600


class Sample(NamedTuple):
    """How much memory a service had to itself."""

    seconds: float
    """Since the first one."""
    mb: float
    """Private memory (USS) of all its processes, in 10^6 bytes."""


@contextmanager
def watched(server: Server) -> Iterator[list[Sample]]:
    """Take a sample every second, and the last one at the end."""
    samples: list[Sample] = []
    start = time.perf_counter()
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_SAMPLING_SECONDS):
            take()

    def take() -> None:
        samples.append(Sample(time.perf_counter() - start, _private_mb(family(server))))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield samples
    finally:
        ended.set()
        thread.join()
        take()


def slope(samples: Sequence[Sample]) -> float:
    """Return by how many MB memory grows in ten minutes, by linear regression."""
    seconds, mb = np.array(samples).T
    return float(np.polyfit(seconds, mb, deg=1)[0]) * _SLOPE_SECONDS


def thirds(samples: Sequence[Sample]) -> list[float]:
    """Return the median memory, in MB, of each third of the samples, which are one at least.

    Memory that swings with what is being answered differs between any two moments.
    """
    mb = [sample.mb for sample in samples]
    return [float(np.median(third if len(third) else mb[-1])) for third in np.array_split(mb, 3)]


def _private_mb(processes: Sequence[psutil.Process]) -> float:
    return sum(of_each(processes, lambda process: process.memory_full_info().uss)) / 1e6
