from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from app.card import read_card
from app.engines.engine import Answers
from tests.training.pictures import CAT, DOG, write_files, write_zip
from training.bulk import scorer
from training.bulk.job import Job
from training.bulk.listing import write_listing
from training.bulk.scorer import Scorer, Work

MODEL = Path(__file__).parents[3] / "models" / "dogs-vs-cats"


class Redness:
    """An engine that says "cat" with the certainty that a picture is red; cats are."""

    best_batch = 2
    loaded = 0
    batches: list[int]

    def __init__(self, *_: Any) -> None:
        type(self).loaded += 1
        self.batches.clear()

    def predict(self, pictures: list[np.ndarray]) -> Answers:
        self.batches.append(len(pictures))
        red = np.stack(pictures)[..., 0].mean(axis=(1, 2), dtype=np.float32) / 255
        return Answers(np.stack([red, 1 - red], axis=1), None)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> type[Redness]:
    monkeypatch.setattr(Redness, "loaded", 0)
    monkeypatch.setattr(Redness, "batches", [], raising=False)
    monkeypatch.setattr(scorer, "LiteRTEngine", Redness)
    return Redness


def work_on(source: Path, output: Path) -> Work:
    output.mkdir()
    write_listing(source, Job(output).listing_file)
    return Work(source, output, MODEL, read_card(MODEL), "litert")


def test_a_part_is_scored_in_batches_of_the_engines_size(
    engine: type[Redness], tmp_path: Path
) -> None:
    files = {"1.jpg": CAT, "2.jpg": b"no picture", "3.jpg": DOG, "4.jpg": CAT}
    work = work_on(write_files(tmp_path / "in", files), tmp_path / "out")

    told = Scorer(work, threads=1)({"item": 0})

    assert told == {"item": 0, "failure": ""}
    rows = pq.read_table(Job(work.output).part_file(0)).to_pylist()
    assert [row["name"] for row in rows] == list(files)
    assert [row["label"] for row in rows] == ["cat", None, "dog", "cat"]
    assert "not an image" in rows[1]["error"]
    assert engine.batches == [2, 1]


def test_pictures_none_of_which_can_be_decoded_are_told(
    engine: type[Redness], tmp_path: Path
) -> None:
    files = {"1.jpg": b"no picture", "2.jpg": b""}
    work = work_on(write_files(tmp_path / "in", files), tmp_path / "out")

    Scorer(work, threads=1)({"item": 0})

    errors = pq.read_table(Job(work.output).part_file(0))["error"]
    assert len(errors) == 2
    assert errors.null_count == 0
    assert engine.batches == []


def test_the_engine_is_loaded_once(engine: type[Redness], tmp_path: Path) -> None:
    work = work_on(write_zip(tmp_path / "in.zip", {"1.jpg": CAT}), tmp_path / "out")
    score = Scorer(work, threads=1)

    for _ in range(2):
        assert score({"item": 0})["failure"] == ""

    assert engine.loaded == 1


@pytest.mark.usefixtures("engine")
def test_folders_that_only_one_machine_has_are_told(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "in", {"1.jpg": CAT})
    work = work_on(folder, tmp_path / "out")
    folder.rename(tmp_path / "elsewhere")

    told = Scorer(work, threads=1)({"item": 0})

    assert "not on every machine" in told["failure"]
    assert not Job(work.output).parts_folder.exists()


def test_a_model_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    work = work_on(write_files(tmp_path / "in", {"1.jpg": CAT}), tmp_path / "out")
    elsewhere = work._replace(model=tmp_path)

    assert "cannot be read" in Scorer(elsewhere, threads=1)({"item": 0})["failure"]


def test_the_models_other_file_runs_on_keras(tiny_model: Path, tmp_path: Path) -> None:
    work = work_on(write_files(tmp_path / "in", {"1.jpg": CAT, "2.jpg": DOG}), tmp_path / "out")
    work = work._replace(model=tiny_model, card=read_card(tiny_model), form="keras")

    assert Scorer(work, threads=1)({"item": 0})["failure"] == ""

    rows = pq.read_table(Job(work.output).part_file(0)).to_pylist()
    assert [row["label"] for row in rows] == ["red", "blue"]
    assert all(0 <= row["typicality"] <= 1 for row in rows)


@pytest.mark.usefixtures("engine")
def test_a_part_that_ends_its_process_again_and_again_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = work_on(write_files(tmp_path / "in", {"1.jpg": CAT, "2.jpg": DOG}), tmp_path / "out")

    def end(*_: object) -> None:
        raise KeyboardInterrupt  # as if the process had ended: nothing is told

    with monkeypatch.context() as patch:
        patch.setattr(scorer, "decode_ahead", end)
        for _ in range(4):
            with pytest.raises(KeyboardInterrupt):
                Scorer(work, threads=1)({"item": 0})
    told = Scorer(work, threads=1)({"item": 0})
    Job(work.output).forget_attempts()
    after = Scorer(work, threads=1)({"item": 0})

    assert "The part from 1.jpg to 2.jpg ended the process" in told["failure"]
    assert after["failure"] == ""
    assert Job(work.output).note_attempt(0) == 0


def test_whatever_fails_is_told_with_its_part(
    engine: type[Redness], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = work_on(write_files(tmp_path / "in", {"1.jpg": CAT}), tmp_path / "out")

    def fail(*_: object) -> None:
        raise ArithmeticError("of the engine")

    monkeypatch.setattr(engine, "predict", fail)

    told = Scorer(work, threads=1)({"item": 0})

    assert "Part 0 cannot be scored (of the engine); run the command again" in told["failure"]
