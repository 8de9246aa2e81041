from __future__ import annotations

import pytest

from benchmarks.load import Load
from hardening.soak import Sample, Soaked, slope


def part(p99_ms: float) -> Load:
    return Load(per_second=200, p50_ms=50, p99_ms=p99_ms, failures=0, client_cores=0.01)


def test_slope_is_that_of_ten_minutes() -> None:
    samples = [Sample(second, 200 + 0.002 * second) for second in range(0, 1800, 10)]

    assert slope(samples) == pytest.approx(1.2)


def test_slope_of_what_only_swings_is_flat() -> None:
    samples = [Sample(second, 200 + 10 * (second % 2)) for second in range(1800)]

    assert abs(slope(samples)) < 0.1


def test_first_sixth_is_warming_up() -> None:
    samples = [Sample(second, 100) for second in range(60)]

    assert Soaked([], 0, samples, []).settled == samples[10:]


def test_thirds_are_compared_by_their_medians() -> None:
    parts = [part(p99_ms) for p99_ms in (10, 12, 900, 50, 50, 50, 15, 1, 18)]

    assert Soaked(parts, 0, [], []).p99_ratio == pytest.approx(15 / 12)
