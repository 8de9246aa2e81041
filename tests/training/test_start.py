from __future__ import annotations

import re
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

from app.errors import ModelCardError
from tests.training.workshop import OPTIONS, Workshop
from training.__main__ import main
from training.errors import RunError
from training.model import FULL_SIDE, build_alexnet
from training.predictor import load_best
from training.run import Run
from training.start import begin_from, read_start

LABELS = ("dark", "light")
WIDTH = 1 / 32
PIXELS = np.random.default_rng(0).integers(0, 256, (8, FULL_SIDE, FULL_SIDE, 3), dtype=np.uint8)


def test_an_exported_model_is_what_it_was_made_of(workshop: Workshop) -> None:
    start = read_start(workshop.model)

    trained = load_best(Run(workshop.run))
    assert start.labels == LABELS
    assert re.fullmatch(r"brightness \S+ \([0-9a-f]{12}\)", start.name)
    np.testing.assert_allclose(
        start.plain.predict_on_batch(PIXELS), trained.predict_on_batch(PIXELS), atol=0.02
    )


def test_a_run_starts_with_its_best_weights(workshop: Workshop) -> None:
    start = read_start(workshop.run)

    assert start.name.startswith("run undisturbed (")
    assert (start.labels, start.data.training) == (LABELS, 64)
    assert start.trained_on is not None
    assert len(start.trained_on) == 64
    for ours, theirs in zip(
        start.plain.get_weights(), load_best(Run(workshop.run)).get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_a_folder_without_weights_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="holds no training"):
        read_start(tmp_path)


def test_a_model_that_was_changed_is_refused(workshop: Workshop, tmp_path: Path) -> None:
    copy = shutil.copytree(workshop.model, tmp_path / "model")
    with (copy / "model.keras").open("ab") as file:
        file.write(b"more")

    with pytest.raises(ModelCardError, match=r"model\.keras"):
        read_start(copy)


def test_other_labels_have_a_last_layer_of_their_own(workshop: Workshop) -> None:
    start = read_start(workshop.run)
    network = build_alexnet(3, width=WIDTH, normalize_all=True)
    own = network.get_layer("fulconnect_4").get_weights()

    begin_from(start, network, ("cat", "dog", "fox"), PIXELS)

    for kept, before in zip(network.get_layer("fulconnect_4").get_weights(), own, strict=True):
        np.testing.assert_array_equal(kept, before)
    ours, theirs = (
        keras.Model(model.input, model.layers[-1].input).predict_on_batch(PIXELS)
        for model in (network, start.plain)
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-2, atol=1e-2)


def test_another_width_is_told_before_the_run_is_begun(workshop: Workshop, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"brightness .* has .* train with --width 0\.03125"):
        workshop.train(tmp_path / "run", "--start", str(workshop.model), "--width", "0.0625")

    assert not (tmp_path / "run").exists()


def test_what_was_trained_on_is_not_validated_on(workshop: Workshop, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="train with --split-seed 1"):
        workshop.train(tmp_path / "run", "--start", str(workshop.model), "--split-seed", "2")

    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("start", "rename", "told"),
    [
        ("model", False, r"saw other pictures \(train\); where some of them are among"),
        (
            "run",
            False,
            r"; by their names, 1\d of them are among the 16 to validate on, and validation",
        ),
        ("run", True, "; by their names, none of them is among those to validate on"),
    ],
)
def test_other_pictures_may_have_been_trained_on(
    workshop: Workshop,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    start: str,
    told: str,
    *,
    rename: bool,
) -> None:
    other = shutil.copytree(workshop.data, tmp_path / "other")
    (other / "dark.0.jpg").unlink()
    for picture in sorted(other.iterdir()) if rename else ():
        picture.rename(other / picture.name.replace(".jpg", ".new.jpg"))
    options = (*("--data", other, "--cache", workshop.cache), *("--run", tmp_path / "run"))
    options += ("--split-seed", "3", "--start", getattr(workshop, start))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.train.fit", lambda *_: None)
        main(["train", *map(str, options), *OPTIONS])

    assert re.search(told, capsys.readouterr().out)


def test_a_training_goes_on_from_an_exported_model(workshop: Workshop, tmp_path: Path) -> None:
    run = tmp_path / "further"
    options = (*("--epochs", "1", "--stages", "227:1"), *("--learning-rate", "1e-9"))

    workshop.train(run, *options, "--average", "0.5", "--start", str(workshop.model))

    trained, before = load_best(Run(run)), read_start(workshop.model).plain
    for name in ("fulconnect_4", "norm_3"):
        ours, theirs = (network.get_layer(name).get_weights()[:2] for network in (trained, before))
        np.testing.assert_allclose(ours[0], theirs[0], atol=1e-4)
        np.testing.assert_allclose(ours[1], theirs[1], atol=1e-4)
    assert Run(run).read_recipe().start == read_start(workshop.model).name
    workshop.train(run, *options, "--average", "0.5", "--resume")  # has all that it needs
