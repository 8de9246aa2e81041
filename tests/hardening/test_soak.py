from __future__ import annotations

import pytest

from benchmarks.load import Load
from hardening.memory import Sample
from hardening.soak import Soaked


def part(p99_ms: float) -> Load:
    return Load(per_second=200, p50_ms=50, p99_ms=p99_ms, failures=0, client_cores=0.01)


def test_first_sixth_is_warming_up() -> None:
    samples = [Sample(second, 100) for second in range(60)]

    assert Soaked([], 0, samples, []).settled == samples[10:]


def test_thirds_are_compared_by_their_medians() -> None:
    parts = [part(p99_ms) for p99_ms in (10, 12, 900, 50, 50, 50, 15, 1, 18)]

    assert Soaked(parts, 0, [], []).p99_ratio == pytest.approx(15 / 12)
