from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.training.jax import run_on_jax
from tests.training.workshop import EVERYTHING, Workshop
from training.run import Run


def test_jax_trains_resumes_and_evaluates_without_tensorflow(
    workshop: Workshop, tmp_path: Path
) -> None:
    undisturbed, resumed, output = (tmp_path / name for name in ("jax", "again", "evaluation"))
    everything = (*EVERYTHING, "--precision", "float32", "--pictures", "accelerator")
    commands = [
        ["train", *workshop.train_arguments(undisturbed), *everything],
        ["train one epoch only", *workshop.train_arguments(resumed), *everything],
        ["train", *workshop.train_arguments(resumed), *everything, "--resume"],
        [
            *("evaluate", "--model", str(undisturbed), "--data", str(workshop.data)),
            *("--output", str(output), "--cache", str(workshop.cache)),
        ],
    ]

    run_on_jax(
        commands,
        JAX_COMPILATION_CACHE_DIR=str(tmp_path / "compiled"),
        JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0.1",
    )

    assert json.loads((output / "evaluation.json").read_text())["images"] == 16
    for ours, theirs in zip(
        *(Run(run).read_history() for run in (resumed, undisturbed)), strict=True
    ):
        for name in ("loss", "accuracy", "val_log_loss", "val_accuracy"):
            assert ours[name] == pytest.approx(theirs[name], rel=1e-3)
