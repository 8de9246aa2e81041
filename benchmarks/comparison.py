"""The service against the ceiling, and against what people write."""

from __future__ import annotations

import statistics
import subprocess
import sys
from operator import itemgetter
from typing import NamedTuple

import psutil

from benchmarks import networks
from benchmarks.ceiling import Arrangement, arrangements, single_picture_ms
from benchmarks.inputs import Inputs
from benchmarks.load import Load
from benchmarks.report import Report
from benchmarks.rivals import catalogue
from benchmarks.rivals.catalogue import Rival
from benchmarks.service import PATH, Spread, measure, measure_rival, product, ratios

_CEILING_HEAD = (
    "connections",
    "requests/s",
    "of the ceiling",
    "wrk's cores",
    "of the ceiling less those",
    "p99 / p50",
)


class _Round(NamedTuple):
    """What was measured in one go: the machine may be another one for the next."""

    ceiling: float
    """Pictures/s, the mean of before and after the service."""
    single_ms: float
    """To decode and infer one picture in process."""
    service: dict[int, Load]
    """By number of connections; at 16, before the rivals."""
    again: float
    """The service's requests/s at 16 connections, after the rivals."""
    rivals: dict[str, float]
    """Requests/s."""


def report_comparison(report: Report, inputs: Inputs) -> None:
    """Compare the service with the ceiling and with what people write, round by round."""
    ceiling = _best_arrangement(report, inputs)
    rivals = _best_rivals(report, inputs)
    rounds = [_measure_round(inputs, ceiling, rivals) for _ in range(inputs.rounds)]
    report.heading("Against the ceiling, and against what people write")
    report.paragraph(
        f"The ceiling is {Spread([each.ceiling for each in rounds]).text()} pictures/s: "
        f"{ceiling.name}, batch {ceiling.batch}, before and after the service in each round."
    )
    report.table(_CEILING_HEAD, [_ceiling_row(rounds, inputs.cores, count) for count in (16, 64)])
    alone = [each.service[1].p50_ms for each in rounds]
    single = [each.single_ms for each in rounds]
    report.paragraph(
        f"p50 at 1 connection: {Spread(alone).text(2)} ms, "
        f"{Spread(ratios(alone, single)).text(2)} of the {Spread(single).text(2)} ms that "
        "decoding and inferring one picture takes in process with all cores."
    )
    ours = [(each.service[16].per_second + each.again) / 2 for each in rounds]
    rows = [["this service", Spread(ours).text(), ""]]
    for name in rounds[0].rivals:
        theirs = [each.rivals[name] for each in rounds]
        rows.append([name, Spread(theirs).text(), Spread(ratios(ours, theirs)).text(2)])
        if not all(theirs):
            report.paragraph(f"In a round {name} did not answer, which counts as 0 requests/s.")
    report.paragraph("In the table of the rivals, the service's is the mean of before and after.")
    report.table(
        ["16 connections, small JPEGs", "requests/s", "the service's, as a multiple"], rows
    )


def _measure_round(inputs: Inputs, ceiling: Arrangement, rivals: list[Rival]) -> _Round:
    before = ceiling.measure(inputs.seconds)
    service = _service(inputs, (16, 64, 1))
    after = ceiling.measure(inputs.seconds)
    single_ms = single_picture_ms(inputs.litert, inputs.small, inputs.cores, inputs.seconds / 2)
    rates = {
        f"{rival.name} ({rival.setting})": _rival_rate(inputs, rival, inputs.seconds)
        for rival in rivals
    }
    again = _service(inputs, (16,))[16].per_second
    return _Round((before + after) / 2, single_ms, service, again, rates)


def _service(inputs: Inputs, connections: tuple[int, ...]) -> dict[int, Load]:
    with product(inputs.log, model=inputs.model) as server:
        return {
            count: measure(server, PATH, inputs.forms, count, inputs.seconds).load
            for count in connections
        }


def _ceiling_row(rounds: list[_Round], cores: int, connections: int) -> list[str]:
    loads = [each.service[connections] for each in rounds]
    rates = [load.per_second for load in loads]
    tops = [each.ceiling for each in rounds]
    left = [top * (1 - load.client_cores / cores) for top, load in zip(tops, loads, strict=True)]
    return [
        str(connections),
        Spread(rates).text(),
        Spread(ratios(rates, tops)).text(2),
        f"{statistics.median(load.client_cores for load in loads):.3f}",
        Spread(ratios(rates, left)).text(2),
        Spread([load.p99_ms / load.p50_ms for load in loads]).text(2),
    ]


def _best_arrangement(report: Report, inputs: Inputs) -> Arrangement:
    found = [
        (arrangement.measure(inputs.seconds / 2), arrangement)
        for arrangement in arrangements(inputs.litert, inputs.small, inputs.cores)
    ]
    report.heading("Ceiling: decoding and inferring in one process, without HTTP")
    report.table(
        ["arrangement", "batch", "pictures/s"],
        [[each.name, str(each.batch), f"{rate:.0f}"] for rate, each in found],
    )
    return max(found, key=lambda pair: pair[0])[1]


def _best_rivals(report: Report, inputs: Inputs) -> list[Rival]:
    """Return each rival at the setting that does best here, but for those that do not run."""
    families = [
        list(settings(inputs.litert, inputs.cores, decoder))
        for settings in (catalogue.litserve, catalogue.mosec)
        for decoder in ("pillow", "project")
    ]
    if networks.keras_installed():
        path = networks.keras_file(inputs.model, inputs.folder)
        families.insert(0, [catalogue.tutorial(path)])
    rivals = []
    for family in families:
        rate, best = max(
            ((_rival_rate(inputs, rival, inputs.seconds / 2), rival) for rival in family),
            key=itemgetter(0),
        )
        if rate:
            rivals.append(best)
        else:
            report.paragraph(f"{best.name} did not answer, and is left out.")
    return rivals


def _rival_rate(inputs: Inputs, rival: Rival, seconds: float) -> float:
    """Return requests/s; 0 of a rival that does not run, which is told."""
    try:
        measured = measure_rival(rival, inputs.forms, inputs.files, 16, seconds, inputs.log)
    except (RuntimeError, subprocess.CalledProcessError, psutil.Error) as error:
        print(f"{rival.name} ({rival.setting}) does not run: {error}", file=sys.stderr)
        return 0.0
    return measured.load.per_second
