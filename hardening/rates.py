"""How fast the service is, plain and on Ray, and what each part of it costs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks.load import Bodies, post
from benchmarks.server import of_each, serving
from benchmarks.service import PATH, Spread
from hardening.cluster import Cluster, cluster, title

CONNECTIONS = 16
"""More than it takes to keep two cores busy."""
ROUNDS = 3
_WARM_UP_SECONDS = 15
"""Ray's own processes are busy for a while after their start."""
PROXY, HTTP, ENGINE = "proxy", "HTTP replica", "engine replica"
_MARKS = {
    "ProxyActor": PROXY,
    "ServeReplica:alexnet:http": HTTP,
    "ServeReplica:alexnet:engine": ENGINE,
}
_REST = "rest of Ray"

CPUSeconds = Callable[[], Mapping[str, float]]
"""Tells what each part of a service has used up to now."""


class Rates(NamedTuple):
    """What was measured of a service."""

    name: str
    per_second: Spread
    """Of requests."""
    alone_ms: float
    """p50 of one request at a time."""
    cpu_ms: dict[str, float]
    """Of all cores, a request, by part."""
    failures: int

    def row(self) -> list[str]:
        """Return the cells of its line in a table."""
        total = f"{sum(self.cpu_ms.values()):.1f}"
        if len(self.cpu_ms) > 1:
            parts = ", ".join(f"{part} {each:.1f}" for part, each in self.cpu_ms.items())
            total += f" ({parts})"
        rate = self.per_second.text()
        return [self.name, rate, f"{self.alone_ms:.1f} ms", total, str(self.failures)]


def measure(folder: Path, bodies: Bodies, seconds: float) -> tuple[Rates, Rates, Rates]:
    """Measure the plain service, Ray with one node, and Ray with two, each node on one core.

    The load generator has the last core, which on a machine of two is the second node's as well.
    """
    first, *others = sorted(os.sched_getaffinity(0))
    with _kept_to(others[-1]):
        plain = _plain(folder, bodies, seconds, first)
        with cluster(folder) as ray:
            ray.add_node({first})
            ray.deploy(1)
            one = _rates("Ray, one node", ray.port, bodies, seconds, lambda: _cpu_seconds(ray))
            ray.add_node({others[0]})
            ray.deploy(2)
            two = _rates("Ray, two nodes", ray.port, bodies, seconds, lambda: _cpu_seconds(ray))
    return plain, one, two


def _plain(folder: Path, bodies: Bodies, seconds: float, core: int) -> Rates:
    command = ["taskset", "-c", str(core), sys.executable, "-m", "app", "--port", "{port}"]
    variables = {"ALEXNET_DEVICE": "cpu"}
    with serving(command, "/health/ready", log=folder / "plain.log", variables=variables) as server:
        return _rates(
            "plain",
            server.port,
            bodies,
            seconds,
            lambda: {"service": server.usage().cpu_seconds},
        )


def _rates(name: str, port: int, bodies: Bodies, seconds: float, cpu_seconds: CPUSeconds) -> Rates:
    post(port, PATH, bodies, connections=CONNECTIONS, seconds=_WARM_UP_SECONDS)
    alone = post(port, PATH, bodies, connections=1, seconds=seconds)
    before = cpu_seconds()
    loads = [
        post(port, PATH, bodies, connections=CONNECTIONS, seconds=seconds) for _ in range(ROUNDS)
    ]
    after = cpu_seconds()
    requests = max(1.0, sum(load.per_second * load.seconds for load in loads))
    return Rates(
        name,
        Spread([load.per_second for load in loads]),
        alone.p50_ms,
        {part: (after[part] - before[part]) / requests * 1e3 for part in after},
        sum(load.failures for load in [alone, *loads]),
    )


def _cpu_seconds(ray: Cluster) -> dict[str, float]:
    used = dict.fromkeys([*_MARKS.values(), _REST], 0.0)
    for process in (process for node in ray.nodes for process in node.family()):
        used[_part(process)] += sum(of_each([process], lambda each: sum(each.cpu_times()[:2])))
    return used


def _part(process: psutil.Process) -> str:
    """Return what a process is a part of, by itself or as a replica's lane."""
    try:
        names = [title(each) for each in (process, *process.parents())]
    except psutil.Error:  # it has ended
        return _REST
    parts = (part for name in names for mark, part in _MARKS.items() if mark in name)
    return next(parts, _REST)


@contextmanager
def _kept_to(core: int) -> Iterator[None]:
    """Keep this process, and the load generator that it starts, to a core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
