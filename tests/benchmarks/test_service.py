from __future__ import annotations

from benchmarks.service import Spread


def test_spread_tells_median_and_range() -> None:
    spread = Spread([3.0, 1.0, 2.0])

    assert spread.median == 2
    assert spread.text() == "2 (1 to 3)"
    assert spread.text(1) == "2.0 (1.0 to 3.0)"
