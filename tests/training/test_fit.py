from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.training.pictures import size_of
from tests.training.workshop import EVERYTHING, Workshop, train_one_epoch_only
from training import fit
from training.errors import RunError
from training.files import write_text
from training.recipe import BEST
from training.run import HISTORY_COLUMNS, Run
from training.split import stratified_split


def measured(run: Path) -> list[dict[str, float]]:
    rows = Run(run).read_history()
    timing = {"seconds", "pictures_per_second", "waiting"}
    return [{name: row[name] for name in row.keys() - timing} for row in rows]


def test_a_run_leaves_everything_that_its_reader_needs(workshop: Workshop) -> None:
    run = Run(workshop.run)

    rows = run.read_history()
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [row["side"] for row in rows] == [99] + [227] * 5
    assert rows[-1]["val_accuracy"] > 0.9
    assert all(row["pictures_per_second"] * row["seconds"] > 64 for row in rows)
    assert all(0 < row["waiting"] < 1 for row in rows)
    assert run.read_recipe().width == 1 / 32
    (environment,) = run.read_environments()
    assert environment["precision"] in {"float32", "mixed_bfloat16"}
    assert run.read_data()["counts"] == {"dark": 40, "light": 40}
    parts = [line.rsplit(",", 1)[1] for line in run.split_file.read_text().split()[1:]]
    assert (parts.count("training"), parts.count("validation")) == (64, 16)
    assert size_of(run.curves_file)[0] > 500
    assert any(run.logs_folder.iterdir())
    assert [folder.name for folder in run.checkpoint_folder.iterdir()] == ["epoch-0006"]


def test_the_best_weights_are_a_plain_network(workshop: Workshop) -> None:
    network = keras.saving.load_model(Run(workshop.run).read_best())

    assert network.input_shape == (None, 227, 227, 3)
    assert not [layer.name for layer in network.layers if "normalization" in layer.name]


def test_a_killed_training_resumes_to_the_same_result(workshop: Workshop, tmp_path: Path) -> None:
    run = tmp_path / "killed"
    with subprocess.Popen(
        [sys.executable, "-m", "training", "train", *workshop.train_arguments(run)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert any(re.match("epoch 1/6", line) for line in process.stdout)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    # As if the kill had come between an epoch's line in the history and its checkpoint.
    with Run(run).history_file.open("a") as history:
        history.write("2,99,0,0,0,0,0,0,0,0,0\n")

    workshop.train(run, "--resume")

    for resumed, undisturbed in zip(measured(run), measured(workshop.run), strict=True):
        assert resumed == pytest.approx(undisturbed, rel=1e-3)


def test_everything_on_resumes_too_wherever_the_pictures_are(
    workshop: Workshop, tmp_path: Path
) -> None:
    undisturbed, resumed = tmp_path / "undisturbed", tmp_path / "resumed"
    workshop.train(undisturbed, *EVERYTHING, "--pictures", "accelerator")

    train_one_epoch_only(*workshop.train_arguments(resumed), *EVERYTHING, "--pictures", "disk")
    assert len(measured(resumed)) == 1
    workshop.train(resumed, *EVERYTHING, "--pictures", "disk", "--resume")

    for ours, theirs in zip(measured(resumed), measured(undisturbed), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-2)
    recipe = Run(undisturbed).read_recipe()
    assert (recipe.average, recipe.mixup, recipe.cutmix) == (0.9, 0.2, 1.0)


def test_saving_takes_a_small_share_of_the_time(
    workshop: Workshop,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    saved = []
    monkeypatch.setattr(fit, "_SAVING_SHARE", 1e-9)
    best = Run(tmp_path / "run").best_file
    monkeypatch.setattr(
        fit, "save_checkpoint", lambda *state: saved.append((state[2].epochs, best.is_file()))
    )

    workshop.train(tmp_path / "run", "--epochs", "3", "--stages", "227:1")

    # The checkpoint comes last: a kill before it must not lose the best weights.
    assert saved == [(1, True), (3, True)]
    assert "64 pictures to train on; steps an epoch: 8, in all: 24" in capsys.readouterr().out


def test_a_finished_training_has_nothing_to_resume(workshop: Workshop) -> None:
    before = Run(workshop.run).history_file.stat().st_mtime_ns

    workshop.train(workshop.run, "--resume")

    assert Run(workshop.run).history_file.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        ((), "add --resume"),
        (("--resume", "--dropout", "0.4"), "resume with the same options"),
        (("--resume", "--split-seed", "2"), "the same --data, --split-seed and --exclusions"),
    ],
)
def test_a_run_is_never_mixed_with_another(
    workshop: Workshop, options: tuple[str, ...], advice: str
) -> None:
    with pytest.raises(SystemExit, match=advice):
        workshop.train(workshop.run, *options)


def test_only_a_run_can_be_resumed(workshop: Workshop, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="holds no training"):
        workshop.train(tmp_path / "nothing", "--resume")


@pytest.mark.parametrize(("epochs", "rows"), [(3, 2), (BEST.epochs + 1, BEST.epochs)])
def test_a_checkpoint_that_does_not_fit_the_history_is_told(
    tmp_path: Path, epochs: int, rows: int
) -> None:
    run = Run(tmp_path)
    run.write_history([dict.fromkeys(HISTORY_COLUMNS, 1.0)] * rows)
    state = run.checkpoint_folder / f"epoch-{epochs:04}" / "state.json"
    write_text(state, f'{{"epochs": {epochs}, "steps": {epochs}}}')
    classes = np.array([0, 1] * 5, dtype=np.int32)
    pixels = np.zeros((10, 227, 227, 3), np.uint8)
    data = fit.TrainingData(pixels, classes, ("cat", "dog"), stratified_split(classes, seed=1))

    with pytest.raises(
        RunError, match=f"is {epochs} epochs on, and .* has {rows} of {BEST.epochs}"
    ):
        fit.fit(run, BEST, data)
