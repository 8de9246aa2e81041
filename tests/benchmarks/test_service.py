from __future__ import annotations

import math

from benchmarks.service import Spread, ratios


def test_spread_tells_median_and_range() -> None:
    spread = Spread([3.0, 1.0, 2.0])

    assert spread.median == 2
    assert spread.text() == "2 (1 to 3)"
    assert spread.text(1) == "2.0 (1.0 to 3.0)"


def test_one_figure_has_no_spread() -> None:
    assert Spread([2.0]).text(1) == "2.0"


def test_rounds_are_divided_one_by_one() -> None:
    assert ratios([4, 9, 1], [2, 3, 0]) == [2, 3, math.inf]
