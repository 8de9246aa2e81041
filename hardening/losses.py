"""Replicas and a node that are lost while clients ask."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import NamedTuple

import httpx
import psutil

from benchmarks.service import PATH
from hardening import bodies, crowd, good, poll
from hardening.cluster import Cluster, Node
from hardening.reference import Reference

CLIENTS = 16
QUIET_REQUESTS = 200
"""Answered before each loss, and after all is back."""
_NOTICE_SECONDS = 0.05
"""Until clients have read that a connection has ended, and send nothing more on it."""


class Asked(NamedTuple):
    """A request; times in seconds by `perf_counter`."""

    began: float
    ended: float
    wrong: str
    """What was wrong with the answer, or nothing."""


class Loss(NamedTuple):
    """What was lost, and what that did."""

    what: str
    at: float
    gone: float
    """When its first process was killed, and when the clients knew that its last had ended: until
    then they may send to what is no more."""
    back_seconds: float
    """Until all replicas ran again."""
    asked: list[Asked]
    """From `at` until all was back."""

    @property
    def in_flight(self) -> int:
        """Requests that had been sent by then and were not answered before."""
        return sum(each.began <= self.gone and each.ended > self.at for each in self.asked)

    @property
    def failed(self) -> list[Asked]:
        """Of those in flight and those that came after."""
        return [each for each in self.asked if each.wrong]

    @property
    def failed_later(self) -> int:
        """Of those that came after."""
        return sum(each.began > self.gone for each in self.failed)

    @property
    def longest_silence(self) -> float:
        """Seconds to the first good answer and between two of them, at most."""
        moments = sorted(each.ended for each in self.asked if not each.wrong)
        gaps = (after - before for before, after in pairwise([self.at, *moments]))
        return max(gaps, default=float("inf"))


@dataclass
class _Crowd:
    """Clients that ask again and again, each for one picture at a time; a refusal is a failure."""

    port: int
    reference: Reference
    asked: list[Asked] = field(default_factory=list)
    under_way: list[float] = field(default_factory=list)
    """When each request began that has not come to an end."""
    stopped: bool = False

    async def run(self) -> None:
        random = Random(1)
        async with crowd.connected(self.port) as http:
            await asyncio.gather(*(self._ask(http, random) for _ in range(CLIENTS)))

    async def are_answered(self, more: int) -> None:
        """Return once so many more requests have come to an end."""
        enough = len(self.asked) + more

        async def are() -> bool:
            return len(self.asked) >= enough

        await poll.until(are, "hardly anybody is answered")

    async def has_ended(self, moment: float) -> None:
        """Return once every request that began by then has come to an end."""

        async def has() -> bool:
            return all(began > moment for began in self.under_way)

        await poll.until(has, "requests hang that were sent before all was back")

    async def _ask(self, http: httpx.AsyncClient, random: Random) -> None:
        while not self.stopped:
            known = random.choice(self.reference.known)
            check, body = good.predicts(self.reference, known), bodies.raw(known.picture)
            began = time.perf_counter()
            self.under_way.append(began)
            try:
                wrong = check(await http.post(PATH, content=body.content, headers=body.headers))
            except (httpx.TransportError, OSError) as error:
                wrong = f"The connection broke: {error!r}"
            except Exception as error:  # of any type, where an answer is not as documented
                wrong = f"The answer cannot be read: {error!r}"
            self.under_way.remove(began)
            self.asked.append(Asked(began, time.perf_counter(), wrong))


async def lose(cluster: Cluster, replicas: int, reference: Reference) -> list[Loss]:
    """Lose an engine replica, an HTTP replica and a node with replicas, one after the other.

    Each time until all run again: those of the node that is gone, on the one that had none.
    """
    asking = _Crowd(cluster.port, reference)
    task = asyncio.create_task(asking.run())
    losses = []
    for what, victims in (
        ("an engine replica", lambda: cluster.replicas("engine")[-1:]),
        ("an HTTP replica", lambda: cluster.replicas("http")[-1:]),
        ("a node", lambda: _node(cluster)),
    ):
        await asking.are_answered(QUIET_REQUESTS)
        losses.append(await _lose(what, victims, cluster, replicas, asking))
    asking.stopped = True
    await task
    return losses


async def _lose(
    what: str,
    victims: Callable[[], Sequence[psutil.Process]],
    cluster: Cluster,
    replicas: int,
    asking: _Crowd,
) -> Loss:
    doomed = victims()
    if not doomed:
        raise RuntimeError(f"There is no process to kill for the loss of {what}.")
    at = time.perf_counter()
    for each in doomed:
        each.kill()
    await poll.until(lambda: _are_gone(doomed), f"{what} is killed and runs", pause=0.001)
    await asyncio.sleep(_NOTICE_SECONDS)
    gone = time.perf_counter()

    async def is_back() -> bool:
        return await asyncio.to_thread(cluster.is_whole, replicas)

    seconds = await poll.until(is_back, f"{what} is not replaced")
    back = time.perf_counter()
    await asking.are_answered(QUIET_REQUESTS)
    await asking.has_ended(back)
    return Loss(what, at, gone, seconds, [each for each in asking.asked if each.ended > at])


async def _are_gone(processes: Sequence[psutil.Process]) -> bool:
    return not any(map(_runs, processes))


def _runs(process: psutil.Process) -> bool:
    try:  # the first thread of many may have ended while the last still closes connections
        return bool(process.status() != psutil.STATUS_ZOMBIE or process.num_threads() > 1)
    except psutil.NoSuchProcess:
        return False


def _node(cluster: Cluster) -> list[psutil.Process]:
    """Return the processes of the node with most replicas, but for the one that keeps the rest."""

    def replicas(node: Node) -> int:
        return len(node.replicas("engine")) + len(node.replicas("http"))

    return max(cluster.nodes[1:], key=replicas).family()
