"""The measurements, in their order."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from app.engines.litert import LiteRTEngine
from benchmarks import decoding, networks
from benchmarks.ceiling import SHAPE, Arrangement, arrangements, engine_rate, single_picture_ms
from benchmarks.load import forms, post, raw_files
from benchmarks.machine import int8_products_a_cycle, nominal_hz
from benchmarks.pictures import PHONE, SMALL, photographs
from benchmarks.report import Report
from benchmarks.rivals import catalogue
from benchmarks.rivals.catalogue import Rival
from benchmarks.service import Measured, Spread, measure, measure_rival, product, ready_seconds

_PRODUCTS = 1.135e9
"""Multiplications and additions of a picture: 1.077e9 of convolutions, 0.058e9 of dense layers."""
_PATH = "/predict"
_CEILING_HEAD = (
    "connections",
    "requests/s",
    "of the ceiling",
    "wrk's cores",
    "of the ceiling less those",
    "p99 / p50",
)
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


class Bench:
    """One run of everything."""

    def __init__(
        self, report: Report, model: Path, folder: Path, cores: int, seconds: float, rounds: int
    ) -> None:
        self._report = report
        self._model = model
        self._litert = model / "model.tflite"
        self._folder = folder
        self._log = folder / "servers.log"
        self._cores = cores
        self._seconds = seconds
        self._rounds = rounds
        self._small = list(photographs(SMALL))
        self._phone = list(photographs(PHONE))
        self._forms = forms(folder / "forms", self._small)
        self._files = raw_files(folder / "files", self._small)
        self._phone_forms = forms(folder / "phone", self._phone)

    def decoding(self, photographs_folder: Path | None) -> None:
        """Compare decoding at reduced scale with decoding whole."""
        small = decoding.milliseconds(decoding.reduced, self._small, self._seconds / 2)
        reduced = decoding.milliseconds(decoding.reduced, self._phone, self._seconds)
        whole = decoding.milliseconds(decoding.whole, self._phone, self._seconds)
        self._report.heading("Decoding and resizing, on one core")
        self._report.table(
            ["picture", "as served", "whole", "ratio"],
            [
                ["500x375, 50 kB", f"{small:.2f} ms", "", ""],
                [
                    "4000x3000, 3 MB",
                    f"{reduced:.1f} ms",
                    f"{whole:.1f} ms",
                    f"{whole / reduced:.1f}",
                ],
            ],
        )
        what, pictures = "made here", iter(self._phone)
        if photographs_folder:
            what, pictures = (
                "photographs, enlarged, with grain",
                decoding.enlarged(photographs_folder),
            )
        found = decoding.agreement(self._litert, pictures, self._cores)
        self._report.paragraph(
            f"On {found.pictures} pictures of 4000x3000 ({what}), {found.same_label:.1%} of the "
            f"labels agree, and probabilities differ by {found.mean_difference:.4f} on average."
        )

    def engines(self) -> None:
        """Measure the engines alone."""
        rows = []
        for name, predict in self._engines():
            for batch in (1, 8, 32):
                rate = engine_rate(predict, batch, self._seconds / 2)
                rows.append([name, str(batch), f"{rate:.0f}", _products(rate, self._cores)])
        self._report.heading("Engines alone, with all cores")
        self._report.table(["engine", "batch", "pictures/s", "10^9 products/s a core"], rows)
        clock, peak = nominal_hz(), int8_products_a_cycle()
        if clock and peak:
            self._report.paragraph(
                f"At its nominal clock of {clock / 1e9:.1f} GHz a core can do "
                f"{peak * clock / 1e9:.0f}e9 int8 products/s. It runs faster than that clock, by "
                "how much is hidden here: shares of the true peak are below the ratio of the two."
            )

    def comparison(self) -> None:
        """Compare the service with the ceiling and with what people write, round by round."""
        ceiling = self._best_arrangement()
        rivals = self._best_rivals()
        rates: dict[str, list[float]] = defaultdict(list)
        shares: dict[str, list[float]] = defaultdict(list)
        single: list[float] = []
        loads: dict[str, list[Measured]] = defaultdict(list)
        for _ in range(self._rounds):
            before = ceiling.measure(self._seconds)
            with product(self._log) as server:
                for connections in (16, 64, 1):
                    measured = measure(server, _PATH, self._forms, connections, self._seconds)
                    loads[str(connections)].append(measured)
            after = ceiling.measure(self._seconds)
            single.append(
                single_picture_ms(self._litert, self._small, self._cores, self._seconds / 2)
            )
            top = (before + after) / 2
            rates["ceiling"].append(top)
            for connections in ("16", "64"):
                load = loads[connections][-1].load
                shares[connections].append(load.per_second / top)
                left = top * (1 - load.client_cores / self._cores)
                shares[f"{connections} allowed"].append(load.per_second / left)
            for rival in rivals:
                measured = measure_rival(
                    rival, self._forms, self._files, 16, self._seconds, self._log
                )
                rates[f"{rival.name} ({rival.setting})"].append(measured.load.per_second)
        self._report.heading("Against the ceiling, and against what people write")
        self._report_ceiling(ceiling, rates.pop("ceiling"), loads, shares, single)
        ours = [measured.load.per_second for measured in loads["16"]]
        self._report.table(
            ["16 connections, small JPEGs", "requests/s", "the service's, as a multiple"],
            [["this service", Spread(ours).text(), ""]]
            + [
                [name, Spread(theirs).text(), Spread(_ratios(ours, theirs)).text(2)]
                for name, theirs in rates.items()
            ],
        )

    def service(self) -> None:
        """Measure the service at more loads, with one worker and with more."""
        rows = []
        for workers in sorted({1, self._cores}):
            with product(self._log, workers) as server:
                for connections in (1, 16, 64, 256):
                    measured = measure(server, _PATH, self._forms, connections, self._seconds)
                    rows.append(_row("small", workers, connections, measured))
                measured = measure(server, _PATH, self._phone_forms, 16, self._seconds)
                rows.append(_row("4000x3000", workers, 16, measured))
        self._report.heading("The service")
        self._report.table(
            _SERVICE_HEAD,
            rows,
        )

    def limits(self, requests: int) -> None:
        """Measure start, memory over many requests, and ten times the load."""
        starts = ready_seconds(self._log, 5)
        with product(self._log) as server:
            warm = measure(server, _PATH, self._forms, 16, self._seconds)
            seconds = requests / warm.load.per_second
            worn = measure(server, _PATH, self._forms, 16, seconds)
        self._report.heading("Limits")
        self._report.paragraph(
            f"From the process's start to ready: {Spread(starts).text(2)} s, n = {len(starts)}."
        )
        self._report.paragraph(
            f"RSS of the worker: {warm.largest_mb:.0f} MB after {self._seconds:.0f} s of load, "
            f"{worn.largest_mb:.0f} MB after {requests} requests more."
        )
        best, many, refused, client = [], [], [], []
        for _ in range(self._rounds):
            with product(self._log) as server:
                usual = measure(server, _PATH, self._forms, 64, self._seconds).load
                connections = round(10 * usual.per_second)
                flood = post(
                    server.port,
                    _PATH,
                    self._forms,
                    connections=connections,
                    seconds=self._seconds,
                    pause_ms=1000,
                )
            best.append(usual.per_second)
            many.append(flood.per_second)
            refused.append(flood.failures / self._seconds)
            client.append(flood.client_cores)
        left = [
            flooded / (usual * (1 - cores / self._cores))
            for flooded, usual, cores in zip(many, best, client, strict=True)
        ]
        self._report.paragraph(
            f"Ten times the load it can carry, from clients that rest a second after each answer: "
            f"{Spread(many).text()} pictures/s answered and {statistics.median(refused):.0f} "
            f"refused, {Spread(_ratios(many, best)).text(2)} of the {Spread(best).text()} at 64 "
            f"connections; {Spread(left).text(2)} of what the cores could do that the load "
            f"generator left, which itself took {statistics.median(client):.2f}."
        )

    def _engines(self) -> Iterator[tuple[str, Callable[[np.ndarray], np.ndarray]]]:
        yield "LiteRT, int8", LiteRTEngine(self._litert, SHAPE, self._cores).predict
        if networks.keras_installed():
            from app.engines.keras import KerasEngine

            path = networks.keras_file(self._model, self._folder)
            yield "Keras on TensorFlow, float32", KerasEngine(path, SHAPE).predict

    def _best_arrangement(self) -> Arrangement:
        found = [
            (arrangement.measure(self._seconds / 2), arrangement)
            for arrangement in arrangements(self._litert, self._small, self._cores)
        ]
        self._report.heading("Ceiling: decoding and inferring in one process, without HTTP")
        self._report.table(
            ["arrangement", "batch", "pictures/s"],
            [[each.name, str(each.batch), f"{rate:.0f}"] for rate, each in found],
        )
        return max(found, key=lambda pair: pair[0])[1]

    def _best_rivals(self) -> list[Rival]:
        """Return each rival at the setting that does best here."""
        rivals = []
        if networks.keras_installed():
            path = networks.keras_file(self._model, self._folder)
            rivals.append(catalogue.tutorial(path))
        for settings in (catalogue.litserve, catalogue.mosec):
            tried = list(settings(self._litert, self._cores, "pillow"))
            best = max(range(len(tried)), key=lambda index: self._try(tried[index]))
            rivals.append(tried[best])
            rivals.append(list(settings(self._litert, self._cores, "project"))[best])
        return rivals

    def _try(self, rival: Rival) -> float:
        seconds = self._seconds / 2
        measured = measure_rival(rival, self._forms, self._files, 16, seconds, self._log)
        return measured.load.per_second

    def _report_ceiling(
        self,
        ceiling: Arrangement,
        top: list[float],
        loads: dict[str, list[Measured]],
        shares: dict[str, list[float]],
        single: list[float],
    ) -> None:
        self._report.paragraph(
            f"The ceiling is {Spread(top).text()} pictures/s: {ceiling.name}, batch "
            f"{ceiling.batch}, before and after the service in each round."
        )
        rows = []
        for connections in ("16", "64"):
            measured = loads[connections]
            rows.append(
                [
                    connections,
                    Spread([each.load.per_second for each in measured]).text(),
                    Spread(shares[connections]).text(2),
                    f"{statistics.median(each.load.client_cores for each in measured):.3f}",
                    Spread(shares[f"{connections} allowed"]).text(2),
                    Spread([each.load.p99_ms / each.load.p50_ms for each in measured]).text(2),
                ]
            )
        self._report.table(
            _CEILING_HEAD,
            rows,
        )
        alone = [measured.load.p50_ms for measured in loads["1"]]
        self._report.paragraph(
            f"p50 at 1 connection: {Spread(alone).text(2)} ms, "
            f"{Spread(_ratios(alone, single)).text(2)} of the {Spread(single).text(2)} ms that "
            "decoding and inferring one picture takes in process with all cores."
        )


def _ratios(ours: list[float], theirs: list[float]) -> list[float]:
    return [our / their for our, their in zip(ours, theirs, strict=True)]


def _products(rate: float, cores: int) -> str:
    return f"{rate * _PRODUCTS / cores / 1e9:.0f}"


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
