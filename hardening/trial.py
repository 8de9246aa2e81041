"""One request, and what its answer must be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

import httpx

from hardening.bodies import Body
from hardening.reference import Reference

_ATTEMPTS = 60
"""A second apart: explanations have but a small share of a service that is full."""

Check = Callable[[httpx.Response], str]
"""Returns what is wrong with an answer, or nothing."""


@dataclass
class Client:
    """The ways to the service."""

    http: httpx.AsyncClient
    port: int
    """For those who do not keep to HTTP."""
    refusals: int = 0
    """For want of room; what was refused is sent again when the service says."""


class Trial(Protocol):
    """A request that can be made any number of times."""

    @property
    def kind(self) -> str:
        """What the report calls it."""

    async def run(self, client: Client) -> str:
        """Make the request, and return what is wrong with the answer, or nothing.

        Raises:
            httpx.TransportError: The connection broke before the answer.
        """


Make = Callable[[Random, Reference], Trial]


@dataclass(frozen=True)
class Asked:
    """A request whose answer is waited for."""

    kind: str
    path: str
    body: Body
    check: Check
    headers: Mapping[str, str] = field(default_factory=dict)
    chunked: bool = False
    """Sent without saying how long it is."""

    async def run(self, client: Client) -> str:
        for _ in range(_ATTEMPTS):
            response = await client.http.post(
                self.path,
                content=self.body.chunks() if self.chunked else self.body.content,
                headers={**self.body.headers, **self.headers},
            )
            if response.status_code != 503 or "retry-after" not in response.headers:
                break
            client.refusals += 1
            await asyncio.sleep(float(response.headers["retry-after"]))
        return self.check(response)


def unexpected(response: httpx.Response) -> str:
    """Say that an answer is of another kind than was asked for."""
    return f"{response.status_code}: {response.text[:200]}"
