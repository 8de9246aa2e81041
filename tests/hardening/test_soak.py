from __future__ import annotations

import shutil
from itertools import islice
from pathlib import Path

import pytest

from benchmarks.load import Load, forms
from benchmarks.pictures import SMALL, photographs
from hardening.memory import Sample
from hardening.soak import Soaked, soak


def part(p99_ms: float) -> Load:
    return Load(200, 0, 60, p50_ms=50, p99_ms=p99_ms, failures=0, client_cores=0.01)


def test_first_sixth_is_warming_up() -> None:
    samples = [Sample(second, 100) for second in range(60)]

    assert Soaked([], 0, samples, []).settled == samples[10:]


def test_thirds_are_compared_by_their_medians() -> None:
    parts = [part(p99_ms) for p99_ms in (10, 12, 900, 50, 50, 50, 15, 1, 18)]

    assert Soaked(parts, 0, [], []).p99_ratio == pytest.approx(15 / 12)


@pytest.mark.skipif(shutil.which("wrk") is None, reason="the load generator, wrk, is not installed")
def test_a_short_one_fails_no_request(tmp_path: Path) -> None:
    pictures = list(islice(photographs(SMALL), 2))

    soaked = soak(tmp_path / "log", forms(tmp_path / "forms", pictures), seconds=6)

    assert len(soaked.parts) == 3
    assert soaked.requests > 0
    assert sum(part.failures for part in soaked.parts) == 0
    assert soaked.alarms == []
    assert min(sample.mb for sample in soaked.settled) > 0
