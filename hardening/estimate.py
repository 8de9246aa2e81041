"""What a load takes that nobody here can make, reckoned from what was measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from hardening.rates import PROXY

RATE = 10_000
"""Requests/s."""
PICTURES = 1_000_000_000
NODE_CORES = 16
BUSY = 0.7
"""Of a core, at most: the rest is for what comes unevenly, and for nodes that are lost."""
CORE_HOUR = 0.04
"""In US dollars, assumed."""
UPLOAD_BYTES = 50_000
PIXEL_BYTES = 227 * 227 * 3
_GBIT = 8 / 1e9


class Estimate(NamedTuple):
    """Machines for `RATE`."""

    cores: dict[str, float]
    """Busy ones, by part, with their spare time."""
    nodes: int
    """Of `NODE_CORES`, each with one proxy."""
    nodes_for_proxies: int
    """As many as the proxies alone ask for: each is one process, and cannot be busier than that."""

    @property
    def most_scarce(self) -> str:
        """What is used up first."""
        return "the proxies" if self.nodes == self.nodes_for_proxies else "the cores"

    @property
    def hours(self) -> float:
        """Until `PICTURES` are answered."""
        return PICTURES / RATE / 3600

    @property
    def dollars(self) -> float:
        """For `PICTURES`, on whole nodes, of which the proxies may leave cores idle."""
        return self.nodes * NODE_CORES * self.hours * CORE_HOUR


def estimate(cpu_ms: Mapping[str, float]) -> Estimate:
    """Reckon from the processor time that each part takes for a request."""
    cores = {part: each / 1e3 * RATE / BUSY for part, each in cpu_ms.items()}
    for_proxies = math.ceil(cores[PROXY])
    nodes = max(for_proxies, math.ceil(sum(cores.values()) / NODE_CORES))
    return Estimate(cores, nodes, for_proxies)


def rows(found: Estimate) -> list[list[str]]:
    """Return the lines of a table."""
    remote = 1 - 1 / found.nodes
    return [
        *([f"{part}, cores", f"{cores:.0f}"] for part, cores in found.cores.items()),
        [f"nodes of {NODE_CORES} cores", str(found.nodes)],
        ["what is used up first", found.most_scarce],
        ["uploads of 50 kB, Gbit/s", f"{RATE * UPLOAD_BYTES * _GBIT:.0f}"],
        ["pixels between nodes, Gbit/s", f"{RATE * PIXEL_BYTES * _GBIT * remote:.0f}"],
        ["both, by node, Gbit/s", f"{_by_node(found, remote):.2f}"],
        [f"{PICTURES:,} pictures, hours", f"{found.hours:.0f}"],
        [f"{PICTURES:,} pictures, at {CORE_HOUR} $ a core-hour", f"{found.dollars:,.0f} $"],
    ]


def _by_node(found: Estimate, remote: float) -> float:
    """Return what comes in at a node: uploads, and pixels for its engines."""
    return RATE * (UPLOAD_BYTES + PIXEL_BYTES * remote) * _GBIT / found.nodes
