"""The service under load."""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from app.settings import Device
from benchmarks.load import Bodies, Load, post
from benchmarks.rivals.catalogue import Rival
from benchmarks.server import Server, serving

PATH = "/predict"


class Measured(NamedTuple):
    """A load, and what it cost the server."""

    load: Load
    cpu_ms: float
    """Of all its cores, a request."""
    memory_mb: float
    """Of all its processes."""


@contextmanager
def product(
    log: Path,
    workers: int = 1,
    *,
    device: Device = "cpu",
    model: Path | None = None,
    api_keys: str = "",
) -> Iterator[Server]:
    """Run this repository's service, open to all or asking for a key.

    Args:
        log: File for what it prints.
        workers: Processes.
        device: What its engine runs on.
        model: Its folder; None is the default one.
        api_keys: That it asks for.
    """
    command = [sys.executable, "-m", "app", "--port", "{port}"]
    variables = {"ALEXNET_DEVICE": device, "ALEXNET_WORKERS": str(workers)}
    if model is not None:
        variables["ALEXNET_MODEL"] = str(model)
    if api_keys:
        variables["ALEXNET_API_KEYS"] = api_keys
    with serving(command, "/health/ready", log=log, variables=variables) as server:
        yield server


def measure(
    server: Server, path: str, bodies: Bodies, connections: int, seconds: float
) -> Measured:
    """Warm the server up for two seconds, then load it."""
    post(server.port, path, bodies, connections=connections, seconds=2)
    before = server.usage()
    load = post(server.port, path, bodies, connections=connections, seconds=seconds)
    after = server.usage()
    requests = max(1.0, load.per_second * load.seconds)
    cpu_ms = (after.cpu_seconds - before.cpu_seconds) / requests * 1e3
    return Measured(load, cpu_ms, after.memory_mb)


def measure_rival(
    rival: Rival, forms: Bodies, files: Bodies, connections: int, seconds: float, log: Path
) -> Measured:
    """Start a rival, load it and stop it."""
    with serving(rival.command, rival.probe, log=log, variables=rival.variables) as server:
        bodies = forms if rival.takes_forms else files
        return measure(server, rival.path, bodies, connections, seconds)


def ready_seconds(log: Path, model: Path, starts: int) -> list[float]:
    """Return how long the service takes from its process's start until it is ready."""
    times = []
    for _ in range(starts):
        with product(log, model=model) as server:
            times.append(server.ready_seconds)
    return times


class Spread(NamedTuple):
    """Figures of several rounds."""

    figures: list[float]

    @property
    def median(self) -> float:
        """The figure in the middle."""
        return statistics.median(self.figures)

    def text(self, digits: int = 0) -> str:
        """Return median, lowest and highest; of one figure, that one alone."""
        if len(self.figures) == 1:
            return f"{self.median:.{digits}f}"
        low, high = min(self.figures), max(self.figures)
        return f"{self.median:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def ratios(ours: list[float], theirs: list[float]) -> list[float]:
    """Divide round by round; by nothing, it is infinite."""
    return [our / their if their else math.inf for our, their in zip(ours, theirs, strict=True)]
