from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.training.jax import run_on_jax
from tests.training.workshop import EVERYTHING, Workshop
from training.run import Run


def test_jax_trains_and_evaluates_without_tensorflow(workshop: Workshop, tmp_path: Path) -> None:
    run, output = tmp_path / "jax", tmp_path / "evaluation"
    everything = (*EVERYTHING, "--precision", "float32", "--pictures", "accelerator")

    run_on_jax(
        [
            ["train", *workshop.train_arguments(run), *everything],
            [
                *("evaluate", "--model", str(run), "--data", str(workshop.data)),
                *("--output", str(output), "--cache", str(workshop.cache)),
            ],
        ]
    )

    measured = json.loads((output / "evaluation.json").read_text())
    assert measured["images"] == 16
    trained = [pytest.approx(row["val_log_loss"], rel=1e-3) for row in Run(run).read_history()]
    assert measured["log_loss"] in trained
