from __future__ import annotations

import csv
import importlib.util
from pathlib import Path

import pytest
from PIL import Image

from tests.training.pictures import size_of
from tests.training.workshop import Workshop
from training.__main__ import main


def test_predict_labels_unlabelled_pictures(workshop: Workshop, output: Path) -> None:
    output.mkdir()
    for number in (1, 2, 10):
        Image.new("RGB", (30, 20), (20 * number,) * 3).save(output / f"{number}.png")
    predictions, submission = output / "predictions.csv", output / "submission.csv"

    workshop.command(
        *("predict", "--model", workshop.model, "--output", predictions),
        *("--submission", submission, output),
    )

    rows = list(csv.DictReader(predictions.read_text().splitlines()))
    assert {row["id"] for row in rows} == {"1", "2", "10"}
    assert {row["label"] for row in rows} <= {"dark", "light"}
    assert all(0.5 <= float(row["score"]) <= 1 for row in rows)
    assert [line.split(",")[0] for line in submission.read_text().splitlines()] == [
        "id",
        "1",
        "2",
        "10",
    ]
    assert size_of(predictions.with_suffix(".png"))[0] > 500


def test_samples_draws_the_data_and_its_augmentation(workshop: Workshop, output: Path) -> None:
    workshop.command("samples", "--data", workshop.data, "--output", output)

    for picture in ("samples.png", "augmented.png"):
        assert size_of(output / picture)[1] > 500


def test_scoring_without_ray_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", {}.get)

    with pytest.raises(SystemExit, match=r"^python -m training score: ray and pyarrow .*ray\.txt"):
        main(["score", "photos"])


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        ("train --data nowhere", "does not exist"),
        ("train --data . --dropout 1.5", "`dropout` must be"),
        ("train --data . --devices 2", "set KERAS_BACKEND=jax"),
        ("train --data . --exclusions nowhere", "an empty file to exclude nothing"),
        ("evaluate --data . --model .", "holds no training"),
        ("predict --model . .", "holds no training"),
        ("export --data . --run .", "holds no training"),
    ],
)
def test_what_a_user_can_mend_is_one_sentence(
    command: str, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workshop: Workshop
) -> None:
    monkeypatch.chdir(tmp_path)
    name, *arguments = command.split()

    with pytest.raises(SystemExit, match=advice) as end:
        workshop.command(name, *arguments)
    assert str(end.value).startswith(f"python -m training {name}: ")
