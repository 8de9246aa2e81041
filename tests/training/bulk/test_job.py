from __future__ import annotations

from pathlib import Path

import pytest

from training.bulk.job import Job
from training.errors import RunError


def test_facts_are_read_as_they_were_written(tmp_path: Path) -> None:
    job = Job(tmp_path / "scores")
    assert job.read_facts() is None

    job.write_facts({"model": "dogs-vs-cats", "labels": ["cat", "dog"]})

    assert job.read_facts() == {"model": "dogs-vs-cats", "labels": ["cat", "dog"]}


def test_damaged_facts_are_told(tmp_path: Path) -> None:
    job = Job(tmp_path)
    job.facts_file.write_text('{"model": ')

    with pytest.raises(RunError, match="is damaged"):
        job.read_facts()


def test_one_command_at_a_time_writes_to_a_folder(tmp_path: Path) -> None:
    another = Job(tmp_path).alone()

    with Job(tmp_path).alone(), pytest.raises(RunError, match="Another command"):
        another.__enter__()
