"""Commands that run on JAX, where TensorFlow cannot be imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence

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


_HASTY = "--xla_backend_optimization_level=0"
"""Compiling takes most of the time."""


def run_on_jax(commands: Sequence[Sequence[str]], *flags: str) -> None:
    """Run commands of `training`, one after another, in a process of their own.

    Args:
        commands: With their arguments.
        *flags: Of XLA.
    """
    subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, json.dumps(commands)],
        env={**os.environ, "KERAS_BACKEND": "jax", "XLA_FLAGS": " ".join((_HASTY, *flags))},
        check=True,
    )
