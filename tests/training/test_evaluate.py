from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.training.pictures import CAT, DOG, size_of, write_files
from tests.training.workshop import Workshop
from training.neither import KINDS


def test_every_form_of_a_model_is_measured(
    workshop: Workshop, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    accuracies = set()
    for model, form in (
        (workshop.run, "keras"),
        (workshop.model, "keras"),
        (workshop.model, "litert"),
    ):
        workshop.command(
            *("evaluate", "--model", model, "--form", form),
            *("--data", workshop.data, "--output", output),
        )
        figures = json.loads((output / "evaluation.json").read_text())
        accuracies.add(figures["accuracy"])
        assert figures["images"] == 16
        assert sum(map(sum, figures["confusion"])) == 16
        printed = capsys.readouterr().out
        assert f"{figures['log_loss']:.4f}" in printed
        assert set(figures["views"]) == {"with the mirror image", "softened", "sharpened"}
        if model == workshop.run:
            assert figures["domain"] is None
        else:
            # The threshold is by LiteRT's answers, and these pictures are nearly all alike.
            assert figures["domain"]["passing"] >= (0.9 if form == "litert" else 0.4)
            assert set(figures["domain"]["roc_area"]) == set(KINDS)
            assert "ROC area, against textures" in printed
        for picture in ("evaluation.png", "worst.png"):
            assert size_of(output / picture)[0] > 500
    assert len(accuracies) == 1


def test_all_pictures_can_be_measured(workshop: Workshop, output: Path) -> None:
    workshop.command(
        *("evaluate", "--model", workshop.model, "--data", workshop.data),
        *("--output", output, "--part", "all"),
    )

    assert json.loads((output / "evaluation.json").read_text())["images"] == 80


def test_pictures_that_changed_their_labels_are_others(
    workshop: Workshop, output: Path, tmp_path: Path
) -> None:
    other = shutil.copytree(workshop.data, tmp_path / "other")
    (other / "dark.0.jpg").rename(other / "light.100.jpg")
    (other / "light.0.jpg").rename(other / "dark.100.jpg")

    with pytest.raises(SystemExit, match="--part all"):
        workshop.command("evaluate", "--model", workshop.model, "--data", other, "--output", output)


def test_other_pictures_have_no_validation_split(
    workshop: Workshop, output: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for label in ("dark", "light"):
        Image.new("RGB", (20, 20)).save(other / f"{label}.0.png")

    with pytest.raises(SystemExit, match="--part all"):
        workshop.command("evaluate", "--model", workshop.model, "--data", other, "--output", output)


def test_photographs_of_neither_are_measured_beside_what_is_drawn(
    workshop: Workshop, output: Path, tmp_path: Path
) -> None:
    photographs = write_files(tmp_path / "cars", {"1.jpg": CAT, "2.jpg": DOG})
    arguments = ("--data", workshop.data, "--output", output, "--neither", photographs)

    workshop.command("evaluate", "--model", workshop.model, *arguments)

    figures = json.loads((output / "evaluation.json").read_text())
    assert set(figures["domain"]["roc_area"]) == {*KINDS, "cars"}


def test_a_run_does_not_tell_what_is_neither(
    workshop: Workshop, output: Path, tmp_path: Path
) -> None:
    arguments = ("--data", workshop.data, "--output", output, "--neither", tmp_path)

    with pytest.raises(SystemExit, match="evaluate the model that is exported from it"):
        workshop.command("evaluate", "--model", workshop.run, *arguments)
