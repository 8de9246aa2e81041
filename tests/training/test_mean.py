from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

from app.card import CARD_NAME, read_card
from tests.training.workshop import Workshop
from training.__main__ import main
from training.model import build_alexnet
from training.predictor import load_best
from training.run import Run

NAME = r"\(\w{12}\)"


@pytest.fixture
def shifted(workshop: Workshop, tmp_path: Path) -> Path:
    """A run that began with the weights of `workshop.run`, and made all of them greater by 2."""
    folder = shutil.copytree(workshop.run, tmp_path / "shifted")
    recipe = Run(folder).read_recipe()
    Run(folder).write_recipe(recipe.override({"start": "run undisturbed"}))
    network = load_best(Run(folder))
    network.set_weights([weight + 2 for weight in network.get_weights()])
    network.save(folder / "best.keras")
    return folder


def test_every_weight_is_the_mean_of_its_namesakes(
    workshop: Workshop, shifted: Path, output: Path
) -> None:
    main(["mean", str(workshop.run), str(shifted), "--run", str(output)])

    run, original = Run(output), Run(workshop.run)
    for ours, theirs in zip(
        load_best(run).get_weights(), load_best(original).get_weights(), strict=True
    ):
        np.testing.assert_allclose(ours, theirs + 1, rtol=1e-5)
    assert run.read_data() == original.read_data()
    assert run.read_environments() == original.read_environments() != []
    assert run.split_file.read_bytes() == original.split_file.read_bytes()
    recipe = run.read_recipe()
    assert re.fullmatch(f"run undisturbed {NAME}, run shifted {NAME}", recipe.mean_of)
    assert recipe.override({"mean_of": ""}) == Run(shifted).read_recipe()


def test_a_mean_with_an_exported_model_is_exported(
    workshop: Workshop, shifted: Path, output: Path
) -> None:
    shutil.copy(workshop.run / "best.keras", shifted)
    main(["mean", str(workshop.model), str(shifted), "--run", str(output / "run")])
    models = ("--models", output, "--name", "mean")
    workshop.command("export", "--run", output / "run", "--data", workshop.data, *models)

    card, ours = read_card(output / "mean"), read_card(workshop.model)
    assert re.fullmatch(rf"brightness \S+ {NAME}, run shifted {NAME}", str(card.recipe["mean_of"]))
    assert card.metrics["float"].log_loss == pytest.approx(ours.metrics["float"].log_loss, abs=0.02)


def test_of_two_that_began_at_random_there_is_no_mean(workshop: Workshop, output: Path) -> None:
    with pytest.raises(SystemExit, match="each began with random weights"):
        main(["mean", str(workshop.model), str(workshop.run), "--run", str(output)])

    assert not output.exists()


def test_a_run_is_not_written_over(workshop: Workshop) -> None:
    before = workshop.run.joinpath("best.keras").read_bytes()

    with pytest.raises(SystemExit, match="holds a training already"):
        main(["mean", str(workshop.model), str(workshop.run), "--run", str(workshop.run)])

    assert workshop.run.joinpath("best.keras").read_bytes() == before


@pytest.mark.parametrize(
    ("names", "message"),
    [(("run",), "two trainings or more"), (("model", "model"), "None of the folders is a run")],
)
def test_what_is_missing_is_told(
    workshop: Workshop, output: Path, names: tuple[str, ...], message: str
) -> None:
    folders = [str(getattr(workshop, name)) for name in names]

    with pytest.raises(SystemExit, match=message):
        main(["mean", *folders, "--run", str(output)])

    assert not output.exists()


@pytest.mark.parametrize(
    ("change", "differing"),
    [
        ({"labels": ["dark", "bright"]}, "labels"),
        ({"pictures": "0" * 64}, "pictures"),
        ({"split_seed": 2, "pictures": "0" * 64}, "pictures and --split-seed"),
    ],
)
def test_trainings_on_other_pictures_have_no_mean(
    workshop: Workshop, shifted: Path, output: Path, change: dict[str, object], differing: str
) -> None:
    run = Run(shifted)
    run.write_data(run.read_data() | change)

    with pytest.raises(SystemExit, match=f"run shifted .* with other {differing} than run undist"):
        main(["mean", str(workshop.run), str(shifted), "--run", str(output)])

    assert not output.exists()


def test_networks_of_two_widths_have_no_mean(
    workshop: Workshop, shifted: Path, output: Path
) -> None:
    build_alexnet(2, width=1 / 16).save(shifted / "best.keras")

    with pytest.raises(SystemExit, match="other --width than"):
        main(["mean", str(workshop.run), str(shifted), "--run", str(output)])


@pytest.mark.parametrize(("dark", "refused"), [(40, False), (39, True)])
def test_a_card_without_a_digest_is_compared_by_counts(
    workshop: Workshop, shifted: Path, tmp_path: Path, *, dark: int, refused: bool
) -> None:
    model, output = shutil.copytree(workshop.model, tmp_path / "model"), tmp_path / "mean"
    card = json.loads((model / CARD_NAME).read_bytes())
    card["data"] |= {"pictures": None, "counts": {"dark": dark, "light": 40}}
    (model / CARD_NAME).write_text(json.dumps(card))
    arguments = ["mean", str(model), str(shifted), "--run", str(output)]

    if refused:
        with pytest.raises(SystemExit, match="with other pictures than brightness"):
            main(arguments)
    else:
        main(arguments)
        assert isinstance(load_best(Run(output)), keras.Model)
