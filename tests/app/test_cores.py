from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.cores import usable_cores


@pytest.fixture
def cpu_max(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    return tmp_path / "cpu.max"


@pytest.mark.parametrize(
    ("content", "cores"),
    [("max 100000", 8), ("300000 100000", 3), ("50000 100000", 1), ("9900000 100000", 8)],
)
def test_quota_limits_the_cores(cpu_max: Path, content: str, cores: int) -> None:
    cpu_max.write_text(content)

    assert usable_cores(cpu_max) == cores


def test_without_a_quota_affinity_counts(cpu_max: Path) -> None:
    assert usable_cores(cpu_max) == 8
