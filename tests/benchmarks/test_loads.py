from __future__ import annotations

from benchmarks.load import Load
from benchmarks.loads import _SERVICE_HEAD, _row
from benchmarks.service import Measured


def load(per_second: float, failures: int) -> Load:
    return Load(per_second, 0.0, 6.0, p50_ms=10.0, p99_ms=20.0, failures=failures, client_cores=0.1)


def test_row_has_a_cell_for_each_column() -> None:
    measured = [Measured(load(100.0 + n, n), 5.0 + n, 200.0 + n) for n in range(3)]

    row = dict(zip(_SERVICE_HEAD, _row("small", 2, 16, measured), strict=True))

    assert row["requests/s"] == "101 (100 to 102)"
    assert row["failures in all"] == "3"
    assert row["memory of all processes (PSS), MB, at most"] == "202"
