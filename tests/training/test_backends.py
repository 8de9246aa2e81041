from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.training.workshop import Workshop

WITHOUT_TENSORFLOW = """
import sys

class NoTensorFlow:
    def find_spec(self, name, path=None, target=None):
        if name == "tensorflow":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, NoTensorFlow())

import json
from training.__main__ import main

for arguments in json.loads(sys.argv[1]):
    main(arguments)
"""


def test_jax_trains_and_evaluates_without_tensorflow(workshop: Workshop, tmp_path: Path) -> None:
    run, output = tmp_path / "jax", tmp_path / "evaluation"
    commands = [
        ["train", *workshop.train_arguments(run), "--epochs", "1"],
        [
            *("evaluate", "--model", str(run), "--data", str(workshop.data)),
            *("--output", str(output), "--cache", str(workshop.cache)),
        ],
    ]

    subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, json.dumps(commands)],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        check=True,
    )

    assert json.loads((output / "evaluation.json").read_text())["images"] == 16
