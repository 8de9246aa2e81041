from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.cores import usable_cores


@pytest.fixture
def cgroups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    (tmp_path / "cpu").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("content", "cores"),
    [("max 100000", 8), ("300000 100000", 3), ("50000 100000", 1), ("9900000 100000", 8)],
)
def test_quota_limits_the_cores(cgroups: Path, content: str, cores: int) -> None:
    (cgroups / "cpu.max").write_text(content)

    assert usable_cores(cgroups) == cores


@pytest.mark.parametrize(("quota", "cores"), [("-1\n", 8), ("300000\n", 3), ("50000\n", 1)])
def test_quota_of_older_systems_does_too(cgroups: Path, quota: str, cores: int) -> None:
    (cgroups / "cpu" / "cpu.cfs_quota_us").write_text(quota)
    (cgroups / "cpu" / "cpu.cfs_period_us").write_text("100000\n")

    assert usable_cores(cgroups) == cores


def test_without_a_quota_affinity_counts(cgroups: Path) -> None:
    assert usable_cores(cgroups) == 8
