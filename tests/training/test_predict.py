from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.card import DataSummary
from app.engines.engine import Answers
from tests.training.disk import no_file_above
from tests.training.pictures import CAT, DOG, size_of, write_files, write_zip
from training.errors import DataError, StorageError
from training.predict import Answer, predict
from training.predictor import Predictor


def redness(pixels: NDArray[np.uint8]) -> Answers:
    """Say "cat", with the certainty that a picture is red; cats are."""
    red = pixels[..., 0].mean(axis=(1, 2)).astype(np.float32) / 255
    return Answers(np.stack([red, 1 - red], axis=1), None)


PREDICTOR = Predictor(
    name="redness",
    labels=("cat", "dog"),
    side=16,
    data=DataSummary(source="", counts={}, training=0, validation=0, split_seed=1),
    predict=redness,
    domain=None,
)


def test_pictures_of_an_archive_are_labelled(tmp_path: Path) -> None:
    files = {f"test1/{number}.jpg": (CAT, DOG)[number % 2] for number in range(1, 40)}
    archive = write_zip(tmp_path / "test1.zip", files)

    answers, skipped = predict(
        PREDICTOR,
        [archive],
        output=tmp_path / "predictions.csv",
        submission=tmp_path / "submission.csv",
    )

    assert skipped == []
    assert {answer.id: answer.label for answer in answers} == {
        str(number): ("cat", "dog")[number % 2] for number in range(1, 40)
    }
    lines = (tmp_path / "predictions.csv").read_text().splitlines()
    assert lines[0] == "id,file,label,score"
    assert lines[1].startswith("1,test1/1.jpg,dog,")
    assert len(lines) == 40
    submission = (tmp_path / "submission.csv").read_text().splitlines()
    assert submission[:3] == ["id,label", "1,1", "2,0"]
    assert submission[-1] == "39,1"
    assert size_of(tmp_path / "predictions.png")[1] > 500


def test_undecodable_pictures_are_named(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "in", {"a.jpg": CAT, "b.jpg": b"no picture"})

    answers, skipped = predict(PREDICTOR, [folder], output=tmp_path / "out.csv")

    assert [answer.name for answer in answers] == ["a.jpg"]
    assert [one.name for one in skipped] == ["b.jpg"]


def test_single_files_are_labelled(tmp_path: Path) -> None:
    folder = write_files(tmp_path, {"rex.jpg": DOG, "tom.jpg": CAT})

    answers, _ = predict(
        PREDICTOR, [folder / "rex.jpg", folder / "tom.jpg"], output=tmp_path / "out.csv"
    )

    assert all(isinstance(answer, Answer) for answer in answers)
    assert [(answer.id, answer.label) for answer in answers] == [("rex", "dog"), ("tom", "cat")]


def test_nothing_decodable_is_an_error_and_writes_nothing(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "in", {"a.jpg": b"no picture"})

    with pytest.raises(DataError, match="can be decoded"):
        predict(PREDICTOR, [folder], output=tmp_path / "out.csv")

    assert not (tmp_path / "out.csv").exists()


def test_a_full_disk_leaves_no_half_of_a_figure(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "in", {"a.jpg": CAT})
    output = tmp_path / "out" / "predictions.csv"

    with no_file_above(5000), pytest.raises(StorageError, match=r"predictions\.png cannot be"):
        predict(PREDICTOR, [folder], output=output)

    assert [path.name for path in output.parent.iterdir()] == ["predictions.csv"]
    assert len(output.read_text().splitlines()) == 2


def test_a_name_like_a_formula_is_drawn(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "in", {r"cat $\x$.jpg": CAT})

    predict(PREDICTOR, [folder], output=tmp_path / "out.csv")

    assert size_of(tmp_path / "out.png")[1] > 200


@pytest.mark.parametrize("name", ["folder", "answers.png"])
@pytest.mark.parametrize("argument", ["output", "submission"])
def test_what_is_no_name_of_a_csv_is_told_before_the_work(
    tmp_path: Path, name: str, argument: str
) -> None:
    (tmp_path / "folder").mkdir()
    arguments = {"output": tmp_path / "out.csv", argument: tmp_path / name}

    with pytest.raises(DataError, match=f"{name} cannot be the CSV's name"):
        predict(PREDICTOR, [tmp_path / "missing.zip"], **arguments)
