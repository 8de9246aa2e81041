"""A crowd of which a third misbehaves, and processes that are killed under it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.server import Server
from benchmarks.service import product
from hardening import crowd, killer, reference, state
from hardening.crowd import Tally
from hardening.killer import Killed
from hardening.memory import Sample, watched
from hardening.plan import trials
from hardening.state import State

WORKERS = 2
"""Of the service whose workers are killed."""

Kill = Callable[[Tally], Awaitable[list[Killed]]]
"""Kills processes as requests are counted."""


class Outcome(NamedTuple):
    """What a service withstood."""

    before: State
    """After requests of the same kinds, which fill caches and memory pools."""
    tally: Tally
    after: State
    samples: list[Sample]
    """Of its memory, during the requests that are counted."""
    alarms: list[str]
    """Lines of the log that tell of errors."""
    killed: list[Killed]
    """One after the other."""


def storm(log: Path, requests: int, seed: int, quiet: int, kills: int) -> Outcome:
    """Send requests to one process, of which now and then a lane is killed.

    No client may notice. Before and after, there are `quiet` good requests alone.
    """
    with product(log) as server:
        kill = partial(killer.kill_lanes, server, points=_points(requests, kills), seed=seed)
        return asyncio.run(_besiege(server, log, requests, seed, quiet, requests // 3, kill))


def killing(log: Path, requests: int, seed: int, quiet: int, kills: int) -> Outcome:
    """The same to several processes, of which now and then one is killed.

    Whose connection ends with it asks again.
    """
    points = _points(requests, kills)
    with product(log, WORKERS) as server:
        kill = partial(killer.kill_workers, server, log, WORKERS, points=points, seed=seed)
        return asyncio.run(
            _besiege(server, log, requests, seed, quiet, requests, kill, reconnect=True)
        )


def _points(requests: int, kills: int) -> list[int]:
    return [requests * number // (kills + 1) for number in range(1, kills + 1)]


async def _besiege(
    server: Server,
    log: Path,
    requests: int,
    seed: int,
    quiet: int,
    warm_up: int,
    kill: Kill,
    *,
    reconnect: bool = False,
) -> Outcome:
    async with crowd.connected(server.port) as http:
        known = await reference.ask(http)
    await crowd.run(trials(known, warm_up, seed + 1), server.port, Tally())
    before = await state.measure(server, known, quiet)
    tally = Tally()
    with watched(server) as samples:
        _, killed = await asyncio.gather(
            crowd.run(trials(known, requests, seed), server.port, tally, reconnect=reconnect),
            kill(tally),
        )
    after = await state.measure(server, known, quiet)
    alarms = state.alarms(log, [line for each in killed for line in each.told])
    return Outcome(before, tally, after, samples, alarms, killed)
