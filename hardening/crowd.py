"""Many clients at a time, and what became of their requests."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from hardening.trial import Client, Trial

_CLIENTS = 16
_ATTEMPTS = 10
_RECONNECTING_SECONDS = 0.1


@dataclass
class Tally:
    """What became of requests."""

    sent: Counter[str] = field(default_factory=Counter)
    """By kind."""
    wrong: list[tuple[str, str]] = field(default_factory=list)
    """Kinds, and what was wrong with the answers."""
    refusals: int = 0
    """For want of room."""
    broken: int = 0
    """Connections that ended before the answer, and were made again."""

    @property
    def total(self) -> int:
        """All requests."""
        return self.sent.total()


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client that keeps its connections for less long than the service does."""
    limits = httpx.Limits(max_keepalive_connections=_CLIENTS, keepalive_expiry=2)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", timeout=60, limits=limits
    ) as http:
        yield http


async def run(trials: Iterator[Trial], port: int, tally: Tally, *, reconnect: bool = False) -> None:
    """Make requests, as many at a time as there are clients.

    Args:
        trials: All of them.
        port: Of the service.
        tally: Where they are counted as they are made.
        reconnect: Make a request again whose connection broke; else that is wrong.
    """
    async with connected(port) as http:
        client = Client(http, port)

        async def work() -> None:
            for trial in trials:
                if wrong := await _outcome(trial, client, tally, reconnect):
                    tally.wrong.append((trial.kind, wrong))
                tally.sent[trial.kind] += 1

        await asyncio.gather(*(work() for _ in range(_CLIENTS)))
    tally.refusals += client.refusals


async def _outcome(trial: Trial, client: Client, tally: Tally, reconnect: bool) -> str:
    fault = ""
    for _ in range(_ATTEMPTS if reconnect else 1):
        try:
            return await trial.run(client)
        except (httpx.TransportError, OSError) as error:
            fault = f"The connection broke: {error!r}"
            tally.broken += 1
            await asyncio.sleep(_RECONNECTING_SECONDS)
        except Exception as error:  # of any type, where an answer is not as documented
            return f"The answer cannot be read: {error!r}"
    return fault
