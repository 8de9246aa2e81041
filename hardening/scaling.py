"""The service on Ray: how fast it is by the number of replicas, and what it withstands."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from benchmarks.load import forms
from benchmarks.pictures import SMALL, photographs
from benchmarks.report import Report
from hardening import crowd, estimate, losses, rates, reference
from hardening.cluster import Cluster, cluster
from hardening.figures import Figure, at_most
from hardening.losses import Loss

_NODES = 3
_REPLICAS = 2
_BACK_SECONDS = 60.0
_SILENT_SECONDS = 10.0


def scaling_figures(report: Report, folder: Path, seconds: float) -> list[Figure]:
    """Measure rates, reckon from them what more would take, and lose parts of a cluster."""
    report_rates(report, folder, seconds)
    lost = lose(folder)
    faults = Counter(each.wrong for loss in lost for each in loss.failed)
    report.paragraph(
        f"{_NODES} nodes, {_REPLICAS} replicas of each kind on two of them, and {losses.CLIENTS} "
        "clients that each ask for one picture at a time: an engine replica, an HTTP replica and "
        f"a node with replicas are killed, in turn. {sum(len(loss.asked) for loss in lost)} "
        f"requests ended from then until {losses.QUIET_REQUESTS} more were answered after all was "
        "back; one may fail that was in flight at the kill, or sent before its "
        "client could know of it."
    )
    for fault, count in faults.items():
        report.paragraph(f"- {count} times: {fault}")
    return [figure for loss in lost for figure in _figures(loss)]


def report_rates(report: Report, folder: Path, seconds: float) -> None:
    """Compare one replica with the plain service, and two with one."""
    bodies = forms(folder / "forms", list(photographs(SMALL)))
    plain, one, two = rates.measure(folder, bodies, seconds)
    report.paragraph(
        f"JPEGs of 500x375 at {rates.CONNECTIONS} connections, {rates.ROUNDS} times {seconds:g} s: "
        "median, lowest and highest. A node has one core, and on it a proxy, an HTTP replica and "
        "an engine replica, the first node also all that keeps the cluster. The load generator "
        "has the machine's last core, which is the second node's as well where there are two."
    )
    head = ["on one core a node", "requests/s", "one at a time", "CPU ms a request", "failures"]
    report.table(head, [each.row() for each in (plain, one, two)])
    first, second = one.per_second.median, two.per_second.median
    report.paragraph(
        f"One replica on Ray answers {first / plain.per_second.median:.2f} times as many requests "
        f"as the plain service on the same core; two answer {second / first:.2f} times as many "
        "as one."
    )
    report.paragraph(
        f"Estimated from the second line, not measured, for {estimate.RATE:,} requests/s with "
        f"cores that are busy for {estimate.BUSY:.0%} of the time:"
    )
    report.table(["what", "how much"], estimate.rows(estimate.estimate(one.cpu_ms)))


def lose(folder: Path) -> list[Loss]:
    """Start a cluster, and lose parts of it."""
    with cluster(folder) as ray:
        for _ in range(_NODES):
            ray.add_node()
        ray.deploy(_REPLICAS)
        return asyncio.run(_lose(ray))


async def _lose(ray: Cluster) -> list[Loss]:
    async with crowd.connected(ray.port) as http:
        known = await reference.ask(http)
    return await losses.lose(ray, _REPLICAS, known)


def _figures(loss: Loss) -> list[Figure]:
    lost = f"{loss.what} lost"
    silence, back = loss.longest_silence, loss.back_seconds
    return [
        at_most(f"{lost}: requests that failed", len(loss.failed), loss.in_flight),
        at_most(f"{lost}: of those, sent afterwards", loss.failed_later, 0),
        at_most(f"{lost}: longest time without an answer", silence, _SILENT_SECONDS, "s", 1),
        at_most(f"{lost}: until all replicas ran again", back, _BACK_SECONDS, "s", 1),
    ]
