from __future__ import annotations

from pathlib import Path

from hardening.chaos import killing, storm


def test_nobody_notices_that_lanes_are_killed(tmp_path: Path) -> None:
    outcome = storm(tmp_path / "log", requests=120, seed=1, quiet=4, kills=4)

    assert outcome.tally.wrong == []
    assert outcome.tally.sent.total() == 120
    assert outcome.tally.broken == 0
    assert outcome.alarms == []
    assert [len(each.told) for each in outcome.killed[:3]] == [1, 1, 1]
    assert "A lane ended (" in (tmp_path / "log").read_text()


def test_requests_survive_a_killed_worker(tmp_path: Path) -> None:
    outcome = killing(tmp_path / "log", requests=60, seed=1, quiet=4, kills=1)

    assert outcome.tally.wrong == []
    assert outcome.tally.sent.total() == 60
    assert outcome.alarms == []
    assert len(outcome.killed) == 1
    assert min(sample.mb for sample in outcome.samples) > 0
