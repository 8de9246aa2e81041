from __future__ import annotations

import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

from app.card import ModelCardError
from tests.training.workshop import Workshop
from training.errors import RunError
from training.model import FULL_SIDE, build_alexnet
from training.predictor import load_best
from training.run import Run
from training.start import Start, begin_from, read_start

LABELS = ("dark", "light")
WIDTH = 1 / 32
PIXELS = np.random.default_rng(0).integers(0, 256, (8, FULL_SIDE, FULL_SIDE, 3), dtype=np.uint8)


def test_an_exported_model_is_what_it_was_made_of(workshop: Workshop) -> None:
    start = read_start(workshop.model)

    trained = load_best(Run(workshop.run))
    assert start.labels == LABELS
    assert start.name.startswith("brightness ")
    np.testing.assert_allclose(
        start.plain.predict_on_batch(PIXELS), trained.predict_on_batch(PIXELS), atol=0.02
    )


def test_a_run_starts_with_its_best_weights(workshop: Workshop) -> None:
    start = read_start(workshop.run)

    assert (start.name, start.labels) == ("run undisturbed", LABELS)
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


def test_another_width_is_told(workshop: Workshop) -> None:
    network = build_alexnet(2, width=2 * WIDTH)
    start = Start("the first", LABELS, load_best(Run(workshop.run)))

    with pytest.raises(RunError, match=r"the first has .* train with --width 0\.03125"):
        begin_from(start, network, LABELS, PIXELS)


def test_a_training_goes_on_from_an_exported_model(workshop: Workshop, tmp_path: Path) -> None:
    run = tmp_path / "further"
    options = (*("--epochs", "1", "--stages", "227:1"), *("--learning-rate", "1e-9"))

    workshop.train(run, *options, "--average", "0.5", "--start", str(workshop.model))

    trained, before = load_best(Run(run)), read_start(workshop.model).plain
    for name in ("fulconnect_4", "norm_3"):
        ours, theirs = (network.get_layer(name).get_weights()[:2] for network in (trained, before))
        np.testing.assert_allclose(ours[0], theirs[0], atol=1e-4)
        np.testing.assert_allclose(ours[1], theirs[1], atol=1e-4)
    assert Run(run).read_recipe().start.startswith("brightness ")
    with pytest.raises(SystemExit, match="resume with the same options"):
        workshop.train(run, *options, "--average", "0.5", "--resume")
