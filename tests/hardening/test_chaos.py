from __future__ import annotations

from pathlib import Path

from hardening.chaos import killing


def test_requests_survive_a_killed_worker(tmp_path: Path) -> None:
    outcome = killing(tmp_path / "log", requests=60, seed=1, quiet=4, kills=1)

    assert outcome.tally.wrong == []
    assert outcome.tally.sent.total() == 60
    assert outcome.alarms == []
    assert len(outcome.killed) == 1
    assert min(sample.mb for sample in outcome.samples) > 0
