from __future__ import annotations

import os
from pathlib import Path

import keras
import pytest

from training.errors import RunError
from training.predictor import load_best
from training.run import Run


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_damaged_weights_are_told(tmp_path: Path, kept: float) -> None:
    run = Run(tmp_path)
    keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3)]).save(run.best_file)
    os.truncate(run.best_file, int(kept * run.best_file.stat().st_size))

    with pytest.raises(RunError, match=r"best\.keras is damaged \(.*\); train again"):
        load_best(run)


def test_weights_that_were_changed_are_told(tmp_path: Path) -> None:
    run = Run(tmp_path)
    keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3)]).save(run.best_file)
    data = run.best_file.read_bytes()
    run.best_file.write_bytes(data.replace(b"config.json", b"config.jsoN"))

    with pytest.raises(RunError, match=r"best\.keras is damaged"):
        load_best(run)
