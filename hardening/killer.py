"""Workers that are killed, one at a time, while they answer."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from typing import NamedTuple

import psutil

from benchmarks.server import Server
from hardening import poll
from hardening.crowd import Tally

_PAUSE_SECONDS = 0.05
_READY = "ready: "
"""What each worker logs once it has its model."""


class Killed(NamedTuple):
    """A worker."""

    process: int
    missing_seconds: float
    """Until another one was ready in its place."""


async def kill(
    server: Server, log: Path, workers: int, tally: Tally, points: list[int], seed: int
) -> list[Killed]:
    """Kill a worker whenever so many requests have been answered as a point says.

    Returns:
        Those that were killed.
    """
    random = Random(seed)
    killed = []
    for number, point in enumerate(points, start=1):

        async def is_replaced(started: int = workers + number) -> bool:
            return log.read_text().count(_READY) >= started and len(_workers(server)) == workers

        while tally.total < point:
            await asyncio.sleep(_PAUSE_SECONDS)
        victim = random.choice(_workers(server))
        victim.kill()
        seconds = await poll.until(is_replaced, "no worker is ready in the place of another")
        killed.append(Killed(victim.pid, seconds))
    return killed


def _workers(server: Server) -> list[psutil.Process]:
    """Return those processes that serve, rather than watch, or decode for one that serves."""
    return [each for each in psutil.Process(server.pid).children() if _serves(each)]


def _serves(process: psutil.Process) -> bool:
    return process.is_running() and "resource_tracker" not in " ".join(process.cmdline())
