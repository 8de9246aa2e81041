"""How a service is while it has one client."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Iterable
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

import httpx
import psutil

from benchmarks.server import Server, of_each
from hardening import bodies, crowd, poll
from hardening.reference import Reference

_ALARM = re.compile(r"\b(ERROR|CRITICAL|Traceback)\b")
_WAITING = re.compile(r"^alexnet_waiting_pictures (\S+)$", re.MULTILINE)


class State(NamedTuple):
    """Measured with one request at a time."""

    p50_ms: float
    """Of a picture's answer."""
    open_files: int
    """Of all processes, connections among them."""


async def measure(server: Server, reference: Reference, requests: int) -> State:
    """Wait until the service has answered everybody, then ask it about pictures."""
    async with crowd.connected(server.port) as http:
        await poll.until(lambda: _is_alone(server, http), "the service still has other clients")
        seconds = [
            await _seconds(http, known.picture)
            for known in islice(cycle(reference.known), requests)
        ]
    return State(
        statistics.median(seconds) * 1e3,
        round(sum(of_each(family(server), lambda process: process.num_fds()))),
    )


def family(server: Server) -> list[psutil.Process]:
    """Return the process that was started, and its children."""
    process = psutil.Process(server.pid)
    return [process, *process.children(recursive=True)]


def alarms(log: Path, expected: Iterable[str] = ()) -> list[str]:
    """Return the lines of a log that tell of errors, but for one with each expected text."""
    left = sorted(expected, key=len, reverse=True)  # the one that says most is sought first
    found = []
    for line in log.read_text().splitlines():
        if not _ALARM.search(line):
            continue
        if told := next((text for text in left if text in line), None):
            left.remove(told)
        else:
            found.append(line)
    return found


async def _is_alone(server: Server, http: httpx.AsyncClient) -> bool:
    found = _WAITING.search((await http.get("/metrics")).text)
    ours = 1
    others = sum(of_each(family(server), _connections)) - ours
    return found is not None and float(found[1]) == 0 and others <= 0


def _connections(process: psutil.Process) -> int:
    connections = process.net_connections("tcp")
    return sum(each.status == psutil.CONN_ESTABLISHED for each in connections)


async def _seconds(http: httpx.AsyncClient, picture: bytes) -> float:
    body = bodies.raw(picture)
    start = time.perf_counter()
    response = await http.post("/predict", content=body.content, headers=body.headers)
    response.raise_for_status()
    return time.perf_counter() - start
