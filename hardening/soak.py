"""A service that is kept busy for a long time."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import NamedTuple

from benchmarks.load import Bodies, Load, post
from benchmarks.service import PATH, product
from hardening.memory import Sample, watched
from hardening.state import alarms

CONNECTIONS = 64
"""More than it takes to keep all cores busy."""
_PARTS = 30
_LEAST_PART_SECONDS = 2.0
_WARM_UP_SHARE = 6


class Soaked(NamedTuple):
    """What was measured."""

    parts: list[Load]
    """One after the other."""
    requests: int
    """That were answered with success."""
    samples: list[Sample]
    alarms: list[str]
    """Lines of the log that tell of errors."""

    @property
    def settled(self) -> list[Sample]:
        """The samples after the first sixth of the time."""
        return self.samples[len(self.samples) // _WARM_UP_SHARE :]

    @property
    def p99_ratio(self) -> float:
        """Of the last third's p99 to the first third's, each the median of its parts'."""
        third = len(self.parts) // 3
        first, last = (
            statistics.median(part.p99_ms for part in parts)
            for parts in (self.parts[:third], self.parts[-third:])
        )
        return last / first


def soak(log: Path, forms: Bodies, seconds: float) -> Soaked:
    """Keep a service busy, and watch its memory; p99 is that of each of some thirty parts."""
    part_seconds = max(_LEAST_PART_SECONDS, seconds / _PARTS)
    parts, requests = [], 0.0
    with product(log) as server, watched(server) as samples:
        for _ in range(max(3, round(seconds / part_seconds))):
            part = post(server.port, PATH, forms, connections=CONNECTIONS, seconds=part_seconds)
            requests += part.per_second * part.seconds
            parts.append(part)
    return Soaked(parts, round(requests), samples, alarms(log))
