"""Processes that are killed, one after the other, while they answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
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
_SETTLING_SECONDS = 1.0
"""Between two lanes that are killed: a picture that is in both is taken for what ends them."""
_WHOLE_EVERY = 4
"""So often, all lanes are killed with what they are forked from."""


class Killed(NamedTuple):
    """What was killed at once."""

    told: list[str]
    """What the log may say of it, each in a line."""
    missing_seconds: float
    """Until there was another one in its place."""


async def kill_workers(
    server: Server, log: Path, workers: int, tally: Tally, points: Sequence[int], seed: int
) -> list[Killed]:
    """Kill a worker whenever so many requests have been answered as a point says."""
    random = Random(seed)
    killed: list[Killed] = []
    async for _ in _passed(points, tally):
        victim = random.choice(_workers(server))
        victim.kill()
        started = workers + len(killed) + 1

        async def is_replaced(started: int = started) -> bool:
            return log.read_text().count(_READY) >= started and len(_workers(server)) == workers

        seconds = await poll.until(is_replaced, "no worker is ready in the place of another")
        killed.append(Killed([f"worker {victim.pid} ended (SIGKILL)"], seconds))
    return killed


async def kill_lanes(
    server: Server, tally: Tally, points: Sequence[int], seed: int
) -> list[Killed]:
    """The same with a lane, and now and then with all of them and what they are forked from."""
    random = Random(seed)
    _, *lanes = _lanes(server)
    killed: list[Killed] = []
    async for number in _passed(points, tally):
        found = _lanes(server)
        whole = number % _WHOLE_EVERY == 0
        victims = found if whole else [random.choice(found[1:])]
        for victim in victims:
            victim.kill()

        async def are_replaced(victims: list[psutil.Process] = victims) -> bool:
            now = _lanes(server)
            return len(now) == 1 + len(lanes) and not set(victims) & set(now)

        seconds = await poll.until(are_replaced, "no lane is there in the place of another")
        told = ["A lane ended ("] * len(lanes) if whole else ["A lane ended (SIGKILL)"]
        killed.append(Killed(told, seconds))
        await asyncio.sleep(_SETTLING_SECONDS)
    return killed


async def _passed(points: Sequence[int], tally: Tally) -> AsyncIterator[int]:
    """Yield the number of each point, from 1 on, once so many requests have been answered."""
    for number, point in enumerate(points, start=1):
        while tally.total < point:
            await asyncio.sleep(_PAUSE_SECONDS)
        yield number


def _workers(server: Server) -> list[psutil.Process]:
    """Return those processes that serve, rather than watch, or decode for one that serves."""
    return [each for each in psutil.Process(server.pid).children() if _serves(each)]


def _serves(process: psutil.Process) -> bool:
    return process.is_running() and "resource_tracker" not in _command(process)


def _lanes(server: Server) -> list[psutil.Process]:
    """Return what the lanes of one process are forked from, and then the lanes."""
    all_of_it = psutil.Process(server.pid).children(recursive=True)
    return [each for each in all_of_it if "app.lanes.process" in _command(each)]


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:  # it has ended
        return ""
