"""The same on a GPU: what the cores decode, what the engine infers, and the service."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import keras

from app.engines.keras import KerasEngine
from benchmarks import decoding
from benchmarks.ceiling import SHAPE, engine_rate
from benchmarks.inputs import Inputs
from benchmarks.loads import report_service
from benchmarks.report import Report

_BATCHES = (1, 8, 32, 128, 512)
_WORKERS = (1, 2, 4)


def report_gpu(report: Report, inputs: Inputs) -> None:
    """Measure decoding, the engine alone, and the service."""
    _report_parts(report, inputs)
    report_service(report, inputs, _WORKERS, "gpu")


def _report_parts(report: Report, inputs: Inputs) -> None:
    alone = decoding.milliseconds(decoding.reduced, inputs.small, inputs.seconds)
    with ThreadPoolExecutor(inputs.cores) as threads:
        every = threads.map(
            lambda _: decoding.milliseconds(decoding.reduced, inputs.small, inputs.seconds),
            range(inputs.cores),
        )
        together = sum(1e3 / each for each in every)
    engine = KerasEngine(inputs.model / "model.keras", SHAPE)
    rows = [
        [str(batch), f"{engine_rate(engine.predict, batch, inputs.seconds):.0f}"]
        for batch in _BATCHES
    ]
    report.heading(f"The engine alone: Keras on {keras.backend.backend()}, {engine.device}")
    report.table(["batch", "pictures/s"], rows)
    report.paragraph(
        f"Decoding and resizing a JPEG of 500x375 takes {alone:.2f} ms on a core; {inputs.cores} "
        f"threads of one process decode {together:.0f}/s."
    )
