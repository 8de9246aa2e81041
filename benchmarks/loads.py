"""The service at many loads, and at its limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from app.settings import Device, Settings
from benchmarks.inputs import Inputs
from benchmarks.load import Load, post
from benchmarks.report import Report
from benchmarks.service import PATH, Measured, Spread, measure, product, ratios, ready_seconds

_TIMES = 10
"""The load that a service can carry, so often, is a flood."""
_ON_THEIR_WAY = 64
"""Requests that are being received, predicted and answered, in a flood."""
_SERVICE_HEAD = (
    "JPEGs",
    "workers",
    "connections",
    "requests/s",
    "p50 ms",
    "p99 ms",
    "failures in all",
    "CPU ms a request",
    "memory of all processes (PSS), MB, at most",
)


def report_service(
    report: Report, inputs: Inputs, workers_tried: Sequence[int], device: Device = "cpu"
) -> None:
    """Measure the service at more loads, with one worker and with more."""
    loads = [("small", inputs.forms, count) for count in (1, 16, 64, 256)]
    loads.append(("4000x3000", inputs.phone_forms, 16))
    found: dict[tuple[str, int, int], list[Measured]] = {
        (kind, workers, count): [] for workers in workers_tried for kind, _, count in loads
    }
    for _ in range(inputs.rounds):
        for workers in workers_tried:
            with product(inputs.log, workers, device=device, model=inputs.model) as server:
                for kind, bodies, count in loads:
                    measured = measure(server, PATH, bodies, count, inputs.seconds)
                    found[kind, workers, count].append(measured)
    report.heading("The service")
    report.table(_SERVICE_HEAD, [_row(*what, measured) for what, measured in found.items()])


def report_limits(report: Report, inputs: Inputs, requests: int) -> None:
    """Measure start, memory over many requests, and ten times the load."""
    starts = ready_seconds(inputs.log, inputs.model, 5)
    with product(inputs.log, model=inputs.model) as server:
        warm = measure(server, PATH, inputs.forms, 16, inputs.seconds)
        seconds = requests / warm.load.per_second
        worn = measure(server, PATH, inputs.forms, 16, seconds)
    report.heading("Limits")
    report.paragraph(
        f"From the process's start to ready: {Spread(starts).text(2)} s, n = {len(starts)}."
    )
    report.paragraph(
        f"Memory of all processes (PSS): {warm.memory_mb:.0f} MB after {inputs.seconds:.0f} s "
        f"of load, {worn.memory_mb:.0f} MB after {requests} requests more."
    )
    floods = [_flood(inputs) for _ in range(inputs.rounds)]
    usual = [each.usual.per_second for each in floods]
    answered = [each.flood.per_second for each in floods]
    refused = [each.flood.refused_per_second for each in floods]
    client = [each.flood.client_cores for each in floods]
    asked = [good + bad for good, bad in zip(answered, refused, strict=True)]
    left = [rate * (1 - cores / inputs.cores) for rate, cores in zip(usual, client, strict=True)]
    report.paragraph(
        f"{Spread(ratios(asked, usual)).text(1)} times the load it can carry, on as many "
        f"connections as it takes: {Spread(answered).text()} pictures/s answered and "
        f"{Spread(refused).text()} refused, {Spread(ratios(answered, usual)).text(2)} of the "
        f"{Spread(usual).text()} at 64 connections; {Spread(ratios(answered, left)).text(2)} of "
        "what the cores could do that the load generator left, which itself took "
        f"{Spread(client).text(2)} cores."
    )


class _Flood(NamedTuple):
    usual: Load
    """At 64 connections."""
    flood: Load
    """Of some ten times as much."""


def _flood(inputs: Inputs) -> _Flood:
    """Fill the queue, and let all other connections ask nine times as often as can be answered."""
    connections = Settings.model_fields["max_connections"].default
    others = connections - Settings.model_fields["max_queue"].default - _ON_THEIR_WAY
    with product(inputs.log, model=inputs.model) as server:
        usual = measure(server, PATH, inputs.forms, 64, inputs.seconds).load
        flood = post(
            server.port,
            PATH,
            inputs.forms,
            connections=connections,
            seconds=inputs.seconds,
            pause_ms=round(others / (_TIMES - 1) / usual.per_second * 1e3),
        )
    return _Flood(usual, flood)


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
        f"{max(each.memory_mb for each in measured):.0f}",
    ]
