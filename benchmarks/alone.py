"""Decoding and the engines, each alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.engines.engine import Answers
from app.engines.litert import LiteRTEngine
from benchmarks import decoding, networks
from benchmarks.ceiling import SHAPE, engine_rate
from benchmarks.inputs import Inputs
from benchmarks.machine import int8_products_a_cycle, nominal_hz
from benchmarks.report import Report

_PRODUCTS = 1.135e9
"""Multiplications and additions of a picture: 1.077e9 of convolutions, 0.058e9 of dense layers."""


def report_decoding(report: Report, inputs: Inputs, photographs: Path | None) -> None:
    """Compare decoding at reduced scale with decoding whole."""
    small = decoding.milliseconds(decoding.reduced, inputs.small, inputs.seconds / 2)
    reduced = decoding.milliseconds(decoding.reduced, inputs.phone, inputs.seconds)
    whole = decoding.milliseconds(decoding.whole, inputs.phone, inputs.seconds)
    report.heading("Decoding and resizing, on one core")
    report.table(
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
    what, pictures = "made here", iter(inputs.phone)
    if photographs:
        what, pictures = (
            "photographs, enlarged, with grain",
            decoding.enlarged(photographs),
        )
    found = decoding.agreement(inputs.litert, pictures, inputs.cores)
    report.paragraph(
        f"On {found.pictures} pictures of 4000x3000 ({what}), {found.same_label:.1%} of the "
        f"labels agree, and probabilities differ by {found.mean_difference:.4f} on average."
    )


def report_engines(report: Report, inputs: Inputs) -> None:
    """Measure the engines alone."""
    rows = []
    for name, predict in _engines(inputs):
        for batch in (1, 8, 32):
            rate = engine_rate(predict, batch, inputs.seconds / 2)
            rows.append([name, str(batch), f"{rate:.0f}", _products(rate, inputs.cores)])
    report.heading("Engines alone, with all cores")
    report.table(["engine", "batch", "pictures/s", "10^9 products/s a core"], rows)
    clock, peak = nominal_hz(), int8_products_a_cycle()
    if clock and peak:
        report.paragraph(
            f"At its nominal clock of {clock / 1e9:.1f} GHz a core can do "
            f"{peak * clock / 1e9:.0f}e9 int8 products/s. It runs faster than that clock, by "
            "how much is hidden here: shares of the true peak are below the ratio of the two."
        )


def _engines(inputs: Inputs) -> Iterator[tuple[str, Callable[[NDArray[np.uint8]], Answers]]]:
    yield "LiteRT, int8 and int4", LiteRTEngine(inputs.litert, SHAPE, inputs.cores).predict
    if networks.keras_installed():
        from app.engines.keras import KerasEngine

        path = networks.keras_file(inputs.model, inputs.folder)
        yield "Keras on TensorFlow, float32 and int8", KerasEngine(path, SHAPE).predict


def _products(rate: float, cores: int) -> str:
    return f"{rate * _PRODUCTS / cores / 1e9:.0f}"
