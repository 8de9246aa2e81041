"""The tests as commands: `python -m hardening chaos`, or `make chaos`, and so on."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from app.cores import usable_cores
from benchmarks.load import require_wrk
from benchmarks.machine import describe
from benchmarks.report import Report
from hardening import results
from hardening.figures import HEAD, Figure
from hardening.section import Section


def main() -> None:
    """Run one of the tests, write what it found, and exit with 1 if more than is allowed."""
    options = _options()
    try:
        section = Section(options.output, options.test)  # rather than after half an hour
    except ValueError as error:
        sys.exit(f"The results have no place: {error}.")
    report = Report()
    report.paragraph(
        f"`python -m hardening {' '.join(sys.argv[1:])}` on {datetime.now(UTC):%Y-%m-%d}, on "
        f"{describe(usable_cores())}."
    )
    with tempfile.TemporaryDirectory() as folder:
        figures = options.run(report, Path(folder), options)
    report.table(HEAD, [figure.row() for figure in figures])
    section.write(report.text())
    if not all(figure.kept for figure in figures):
        sys.exit("More was measured than is allowed; see the table.")


def _chaos(report: Report, folder: Path, options: argparse.Namespace) -> list[Figure]:
    return results.chaos_figures(report, folder, options.requests, options.seed)


def _soak(report: Report, folder: Path, options: argparse.Namespace) -> list[Figure]:
    require_wrk()
    return results.soak_figures(report, folder, options.minutes)


def _scaling(report: Report, folder: Path, options: argparse.Namespace) -> list[Figure]:
    require_wrk()
    from hardening.scaling import scaling_figures  # and Ray, which the others do without

    return scaling_figures(report, folder, options.seconds)


def _contract(report: Report, folder: Path, options: argparse.Namespace) -> list[Figure]:
    return results.contract_figures(report, folder, options.examples, options.seed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m hardening", description=__doc__)
    tests = parser.add_subparsers(dest="test", required=True)
    chaos = _test(tests, "chaos", _chaos, "a crowd of which a third misbehaves")
    chaos.add_argument("--requests", type=int, default=10_000)
    chaos.add_argument("--seed", type=int, default=1)
    soak = _test(tests, "soak", _soak, "capacity for half an hour")
    soak.add_argument("--minutes", type=float, default=30)
    contract = _test(tests, "contract", _contract, "schemathesis and the OpenAPI document")
    contract.add_argument("--examples", type=int, default=200, help="for an operation and phase")
    contract.add_argument("--seed", type=int, default=1)
    scaling = _test(tests, "scaling", _scaling, "a Ray cluster that loses parts of itself")
    scaling.add_argument("--seconds", type=float, default=10, help="of load, three times over")
    scaling.set_defaults(output=Path("docs/scaling.md"))
    return parser.parse_args()


def _test(
    tests: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[Report, Path, argparse.Namespace], list[Figure]],
    description: str,
) -> argparse.ArgumentParser:
    parser = tests.add_parser(name, help=description, description=description)
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("SECURITY.md"),
        help="Markdown file, of which the part marked with the test's name is written anew",
    )
    parser.set_defaults(run=run)
    return parser


if __name__ == "__main__":
    main()
