"""The service at many loads, and at its limits."""

from __future__ import annotations

import statistics

from benchmarks.inputs import Inputs
from benchmarks.load import post
from benchmarks.report import Report
from benchmarks.service import PATH, Measured, Spread, measure, product, ratios, ready_seconds

_SERVICE_HEAD = (
    "JPEGs",
    "workers",
    "connections",
    "requests/s",
    "p50 ms",
    "p99 ms",
    "failures",
    "CPU ms a request",
    "RSS MB of a worker",
)


def report_service(report: Report, inputs: Inputs) -> None:
    """Measure the service at more loads, with one worker and with more."""
    rows = []
    for workers in sorted({1, inputs.cores}):
        with product(inputs.log, workers) as server:
            for connections in (1, 16, 64, 256):
                measured = measure(server, PATH, inputs.forms, connections, inputs.seconds)
                rows.append(_row("small", workers, connections, measured))
            measured = measure(server, PATH, inputs.phone_forms, 16, inputs.seconds)
            rows.append(_row("4000x3000", workers, 16, measured))
    report.heading("The service")
    report.table(
        _SERVICE_HEAD,
        rows,
    )


def report_limits(report: Report, inputs: Inputs, requests: int) -> None:
    """Measure start, memory over many requests, and ten times the load."""
    starts = ready_seconds(inputs.log, 5)
    with product(inputs.log) as server:
        warm = measure(server, PATH, inputs.forms, 16, inputs.seconds)
        seconds = requests / warm.load.per_second
        worn = measure(server, PATH, inputs.forms, 16, seconds)
    report.heading("Limits")
    report.paragraph(
        f"From the process's start to ready: {Spread(starts).text(2)} s, n = {len(starts)}."
    )
    report.paragraph(
        f"RSS of the worker: {warm.largest_mb:.0f} MB after {inputs.seconds:.0f} s of load, "
        f"{worn.largest_mb:.0f} MB after {requests} requests more."
    )
    best, many, refused, client = [], [], [], []
    for _ in range(inputs.rounds):
        with product(inputs.log) as server:
            usual = measure(server, PATH, inputs.forms, 64, inputs.seconds).load
            connections = round(10 * usual.per_second)
            flood = post(
                server.port,
                PATH,
                inputs.forms,
                connections=connections,
                seconds=inputs.seconds,
                pause_ms=1000,
            )
        best.append(usual.per_second)
        many.append(flood.per_second)
        refused.append(flood.failures / inputs.seconds)
        client.append(flood.client_cores)
    left = [
        flooded / (usual * (1 - cores / inputs.cores))
        for flooded, usual, cores in zip(many, best, client, strict=True)
    ]
    report.paragraph(
        f"Ten times the load it can carry, from clients that rest a second after each answer: "
        f"{Spread(many).text()} pictures/s answered and {statistics.median(refused):.0f} "
        f"refused, {Spread(ratios(many, best)).text(2)} of the {Spread(best).text()} at 64 "
        f"connections; {Spread(left).text(2)} of what the cores could do that the load "
        f"generator left, which itself took {statistics.median(client):.2f}."
    )


def _row(kind: str, workers: int, connections: int, measured: Measured) -> list[str]:
    load = measured.load
    return [
        kind,
        str(workers),
        str(connections),
        f"{load.per_second:.0f}",
        f"{load.p50_ms:.1f}",
        f"{load.p99_ms:.1f}",
        str(load.failures),
        f"{measured.cpu_ms:.1f}",
        f"{measured.largest_mb:.0f}",
    ]
