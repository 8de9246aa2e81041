from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.workshop import EVERYTHING, Workshop
from training.run import Run

WITHOUT_TENSORFLOW = """
import sys

class NoTensorFlow:
    def find_spec(self, name, path=None, target=None):
        if name == "tensorflow":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, NoTensorFlow())

import json
from tests.training.workshop import train_one_epoch_only
from training.__main__ import main

for arguments in json.loads(sys.argv[1]):
    if arguments[0] == "train one epoch only":
        train_one_epoch_only(*arguments[1:])
    else:
        main(arguments)
"""


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
    compiled = {
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.1",
    }

    subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, json.dumps(commands)],
        env={**os.environ, **compiled, "KERAS_BACKEND": "jax"},
        check=True,
    )

    assert json.loads((output / "evaluation.json").read_text())["images"] == 16
    for ours, theirs in zip(
        *(Run(run).read_history() for run in (resumed, undisturbed)), strict=True
    ):
        for name in ("loss", "accuracy", "val_log_loss", "val_accuracy"):
            assert ours[name] == pytest.approx(theirs[name], rel=1e-3)
