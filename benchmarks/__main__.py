"""The bench as a command: `python -m benchmarks`, or `make bench`."""

from __future__ import annotations

import argparse
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from app.cores import usable_cores
from benchmarks.alone import report_decoding, report_engines
from benchmarks.comparison import report_comparison
from benchmarks.decoding import jpegs
from benchmarks.inputs import make_inputs
from benchmarks.load import require_wrk
from benchmarks.loads import report_limits, report_service
from benchmarks.machine import describe
from benchmarks.report import Report

_RESULTS = {
    "cpu": Path(__file__).with_name("RESULTS.md"),
    "gpu": Path(__file__).with_name("RESULTS-GPU.md"),
}
_COMMANDS = {"cpu": "make bench", "gpu": "python -m benchmarks --device gpu"}
_MODEL = Path("models/dogs-vs-cats")


def main() -> None:
    """Measure, print and write everything."""
    parser = argparse.ArgumentParser("python -m benchmarks", description="Measure the service.")
    parser.add_argument("--seconds", type=float, default=6, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="of the comparisons")
    parser.add_argument("--requests", type=int, default=20_000, help="that memory is watched over")
    parser.add_argument("--photographs", type=Path, help="folder of JPEGs, to compare answers on")
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu", help="of the engine")
    parser.add_argument("--model", type=Path, default=_MODEL, help="folder of the model")
    parser.add_argument("--output", type=Path, help="file of the results")
    options = parser.parse_args()
    require_wrk()
    if options.photographs is not None and not jpegs(options.photographs):
        parser.error(f"{options.photographs} holds no JPEGs; name a folder of photographs.")
    cores = usable_cores()
    report = Report()
    report.paragraph(
        f"Measured on {datetime.now(UTC):%Y-%m-%d} by `{_COMMANDS[options.device]}` on "
        f"{describe(cores)}. The load generator runs on the same cores. Times vary between "
        "machines and between runs; ratios within a run are what counts. "
        f"{_told_of_rounds(options.rounds)}"
    )
    with tempfile.TemporaryDirectory() as folder:
        inputs = make_inputs(
            options.model.resolve(), Path(folder), cores, options.seconds, options.rounds
        )
        if options.device == "gpu":
            from benchmarks.gpu import report_gpu

            report_gpu(report, inputs)
        else:
            report_decoding(report, inputs, options.photographs)
            report_engines(report, inputs)
            report_comparison(report, inputs)
            report_service(report, inputs, sorted({1, cores}))
            report_limits(report, inputs, options.requests)
    report.write(options.output or _RESULTS[options.device], "Results")


def _told_of_rounds(rounds: int) -> str:
    if rounds == 1:
        return "One round (n = 1)."
    return (
        "Where there are several rounds, the figure is their median, with the lowest and the "
        f"highest of {rounds}."
    )


if __name__ == "__main__":
    main()
