"""The tests in full, what they report, and what they may find."""

from __future__ import annotations

import secrets
from importlib.metadata import version
from pathlib import Path

from benchmarks.load import forms
from benchmarks.pictures import SMALL, photographs
from benchmarks.report import Report
from benchmarks.service import product
from hardening import chaos, contract, soak
from hardening.chaos import Outcome
from hardening.figures import Figure, at_most
from hardening.good import GRID_TOLERANCE, SCORE_TOLERANCE
from hardening.memory import slope, thirds

_KILLING_SHARE = 5
_KILLS = 5
_KILLED_LANES = 20
_QUIET_REQUESTS = 200

_P50_RATIO = 1.25
"""One client's latency varies by some percent from one minute to the next."""
_GROWTH_MB = 32.0
"""Of a worker: a large upload and its copies, which the allocator keeps."""
_SPARE_FILES = 16
"""Those of processes that come and go; a leak would be hundreds."""
_BACK_SECONDS = 30.0
_SLOPE_MB = 1.0
_P99_RATIO = 1.25
_WORST_SHOWN = 20


def chaos_figures(report: Report, folder: Path, requests: int, seed: int) -> list[Figure]:
    """Besiege one process, and then, with a fifth of the requests, several that are killed."""
    quiet = min(_QUIET_REQUESTS, requests)
    fewer = requests // _KILLING_SHARE
    storm = chaos.storm(folder / "storm.log", requests, seed, quiet, _KILLED_LANES)
    killing = chaos.killing(folder / "killing.log", fewer, seed, quiet, _KILLS)
    sent = storm.tally.sent, killing.tally.sent
    report.paragraph(
        "A good request is answered rightly with the label that a quiet service gave to the same "
        f"picture, scores within {SCORE_TOLERANCE} and grids within {GRID_TOLERANCE}; a bad one "
        "with its documented 4xx. Who is refused for want of room asks again "
        f"({storm.tally.refusals + killing.tally.refusals} times), and so does whose connection "
        f"ends with a worker ({killing.tally.broken} times); that a lane is killed, nobody may "
        "notice. Every fourth time it is all lanes, with what they are forked from. Memory is what "
        "the service "
        "has to itself (USS): the median of the last third of the time, above that of the second."
    )
    report.table(
        [
            "requests",
            f"to one process, {_KILLED_LANES} times a lane killed",
            f"to {chaos.WORKERS}, {_KILLS} times one killed",
        ],
        [
            *([kind, *(str(each[kind]) for each in sent)] for kind in sorted(sent[0] | sent[1])),
            ["all", *(str(each.total()) for each in sent)],
        ],
    )
    _report_faults(report, [f"{kind}: {wrong}" for kind, wrong in storm.tally.wrong])
    _report_faults(report, [f"{kind}: {wrong}" for kind, wrong in killing.tally.wrong])
    _report_faults(report, storm.alarms + killing.alarms)
    return [
        *_withstood("one process", storm, 1),
        *_withstood(f"{chaos.WORKERS} processes", killing, chaos.WORKERS),
        at_most("a killed lane missing", _missing(storm), _BACK_SECONDS, "s", 1),
        at_most("a killed worker missing", _missing(killing), _BACK_SECONDS, "s", 1),
    ]


def _missing(outcome: Outcome) -> float:
    return max(each.missing_seconds for each in outcome.killed)


def soak_figures(report: Report, folder: Path, minutes: float) -> list[Figure]:
    """Keep the service busy."""
    bodies = forms(folder / "forms", list(photographs(SMALL)))
    soaked = soak.soak(folder / "soak.log", bodies, minutes * 60)
    settled = soaked.settled
    report.paragraph(
        f"{minutes:g} minutes at {soak.CONNECTIONS} connections, in {len(soaked.parts)} parts: "
        f"{soaked.requests} requests. Memory is what the service has to itself (USS), "
        f"{settled[0].mb:.0f} MB after the first sixth of the time and {settled[-1].mb:.0f} MB at "
        f"the end; its slope is that of a line through {len(settled)} samples in between. A "
        "third's p99 is the median of its parts'."
    )
    _report_faults(report, soaked.alarms)
    return [
        at_most("growth in ten minutes", slope(settled), _SLOPE_MB, "MB", 2),
        at_most("p99, last third to first", soaked.p99_ratio, _P99_RATIO, "", 2),
        at_most("requests that failed", sum(part.failures for part in soaked.parts), 0),
        at_most("lines of the log with errors", len(soaked.alarms), 0),
    ]


def contract_figures(report: Report, folder: Path, examples: int, seed: int) -> list[Figure]:
    """Hold the service to its OpenAPI document."""
    report.paragraph(
        f"All checks and phases of schemathesis {version('schemathesis')}, seed {seed}; let pass: "
        "what `hardening/hooks.py` gives a reason for."
    )
    rows, figures = [], []
    for name, key in (("open", ""), ("asking for a key", secrets.token_urlsafe(32))):
        with product(folder / "contract.log", api_keys=key) as server:
            address = f"http://127.0.0.1:{server.port}"
            verdict = contract.check(address, examples=examples, seed=seed, key=key)
        if not verdict.clean:
            print(verdict.printed)
        counts = (verdict.operations, verdict.requests, verdict.let_pass, round(verdict.seconds))
        rows.append([name, *map(str, counts)])
        figures.append(at_most(f"{name}: findings", verdict.findings, 0))
        run = "clean" if verdict.clean else "not clean"
        figures.append(Figure(f"{name}: run", run, "clean", verdict.clean))
    report.table(["service", "operations", "requests", "let pass", "seconds"], rows)
    return figures


def _withstood(name: str, outcome: Outcome, workers: int) -> list[Figure]:
    before, after = outcome.before, outcome.after
    _, second, last = thirds(outcome.samples)
    return [
        at_most(f"{name}: wrong answers", len(outcome.tally.wrong), 0),
        at_most(f"{name}: lines of the log with errors", len(outcome.alarms), 0),
        at_most(f"{name}: p50, after to before", after.p50_ms / before.p50_ms, _P50_RATIO, "", 2),
        at_most(
            f"{name}: memory, above {second:.0f} MB", last - second, workers * _GROWTH_MB, "MB"
        ),
        at_most(f"{name}: open files", after.open_files, before.open_files + _SPARE_FILES),
    ]


def _report_faults(report: Report, faults: list[str]) -> None:
    for fault in faults[:_WORST_SHOWN]:
        report.paragraph(f"- {fault}")
