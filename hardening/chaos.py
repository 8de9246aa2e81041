"""A crowd of which a third misbehaves, and workers that are killed under it."""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

import httpx
import psutil

from benchmarks.server import Server
from benchmarks.service import product
from hardening import bodies, crowd
from hardening.crowd import Tally
from hardening.plan import trials
from hardening.reference import Reference, ask

_WARM_UP_SHARE = 10
_DRAINED_SECONDS = 60
_WAITING = re.compile(r"^alexnet_waiting_pictures (\S+)$", re.MULTILINE)
_ALARM = re.compile(r"ERROR|CRITICAL|Traceback")


class State(NamedTuple):
    """How the service is while it has one client."""

    p50_ms: float
    """Of a picture's answer."""
    largest_mb: float
    """RSS of the process that holds the most."""
    open_files: int
    """Of all processes, connections among them."""


class Outcome(NamedTuple):
    """What a service withstood."""

    before: State
    """After a tenth of the requests, which fill caches and memory pools."""
    tally: Tally
    after: State
    alarms: list[str]
    """Lines of the log."""
    kills: int
    """Of workers."""
    back_seconds: float
    """The longest that a killed worker was missing."""


def storm(log: Path, requests: int, seed: int, quiet_requests: int) -> Outcome:
    """Send the requests to one process."""
    with product(log) as server:
        return asyncio.run(_storm(server, log, requests, seed, quiet_requests))


async def _storm(server, log, requests, seed, quiet):
    ...
