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
    loads = [("small", inputs.forms, count) for count in (1, 16, 64, 256)]
    loads.append(("4000x3000", inputs.phone_forms, 16))
    rows = []
    for workers in sorted({1, inputs.cores}):
        found: list[list[Measured]] = [[] for _ in loads]
        for _ in range(inputs.rounds):
            with product(inputs.log, workers) as server:
                for measured, (_, bodies, count) in zip(found, loads, strict=True):
                    measured.append(measure(server, PATH, bodies, count, inputs.seconds))
        rows += [
            _row(kind, workers, count, measured)
            for measured, (kind, _, count) in zip(found, loads, strict=True)
        ]
    report.heading("The service")
    report.table(_SERVICE_HEAD, rows)


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


def _row(kind: str, workers: int, connections: int, measured: list[Measured]) -> list[str]:
    loads = [each.load for each in measured]
    return [
        kind,
        str(workers),
        str(connections),
        Spread([load.per_second for load in loads]).text(),
        Spread([load.p50_ms for load in loads]).text(1),
        Spread([load.p99_ms for load in loads]).text(1),
        str(sum(load.failures for load in loads)),
        Spread([each.cpu_ms for each in measured]).text(1),
        f"{max(each.largest_mb for each in measured):.0f}",
    ]
