from __future__ import annotations

from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

from tests.training.disk import no_file_above
from training.errors import StorageError
from training.logs import ScalarLog


def read(folder: Path, name: str) -> list[tuple[int, float]]:
    """Return steps and values as TensorBoard reads them."""
    events = EventAccumulator(str(folder)).Reload().Tensors(name)
    return [(event.step, float(make_ndarray(event.tensor_proto))) for event in events]


def test_tensorboard_reads_what_is_written(tmp_path: Path) -> None:
    log = ScalarLog(tmp_path / "logs")
    log.add(1, {"loss": 0.5, "accuracy": 0.25})
    log.add(2, {"loss": 0.125, "accuracy": 0.75})

    assert read(tmp_path / "logs", "loss") == [(1, 0.5), (2, 0.125)]
    assert read(tmp_path / "logs", "accuracy") == [(1, 0.25), (2, 0.75)]


def test_a_training_that_goes_on_writes_beside_what_is_there(tmp_path: Path) -> None:
    ScalarLog(tmp_path).add(1, {"loss": 0.5})
    ScalarLog(tmp_path).add(2, {"loss": 0.25})

    assert len(list(tmp_path.iterdir())) == 2
    assert read(tmp_path, "loss") == [(1, 0.5), (2, 0.25)]


def test_a_full_disk_is_told_in_a_sentence_and_what_was_written_is_read(tmp_path: Path) -> None:
    log = ScalarLog(tmp_path)
    log.add(1, {"loss": 0.5})
    (file,) = tmp_path.iterdir()

    with no_file_above(file.stat().st_size + 10), pytest.raises(StorageError, match="make room"):
        log.add(2, {"loss": 0.25})

    assert read(tmp_path, "loss") == [(1, 0.5)]
