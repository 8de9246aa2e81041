from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from training.checkpoint import Progress, load_checkpoint, read_progress, save_checkpoint
from training.recipe import BEST
from training.trainer import Trainer, build_trainer

PIXELS = np.random.default_rng(0).integers(0, 256, (4, 99, 99, 3), dtype=np.uint8)
TARGETS = np.eye(2, dtype=np.float32)[[0, 1, 0, 1]]


def make_trainer(seed: int, table: NDArray[np.uint8] | None = None) -> Trainer:
    recipe = BEST.override({"width": 1 / 32, "seed": seed, "average": 0.9})
    return build_trainer(recipe, classes=2, side=99, steps=10, policy="mixed_bfloat16", table=table)


def test_nothing_done_is_no_progress(tmp_path: Path) -> None:
    assert read_progress(tmp_path / "checkpoint") == Progress(epochs=0, steps=0)
    with pytest.raises(ValueError, match=r"no checkpoint to load\. Received"):
        load_checkpoint(tmp_path / "checkpoint", make_trainer(seed=1))


def test_weights_and_optimizer_come_back(tmp_path: Path) -> None:
    trained, fresh = make_trainer(seed=1), make_trainer(seed=2)
    trained.train_on_batch((PIXELS, TARGETS))

    save_checkpoint(tmp_path, trained, Progress(epochs=1, steps=1))
    load_checkpoint(tmp_path, fresh)

    assert int(fresh.optimizer.iterations) == 1
    assert int(fresh.average.steps) == 1
    for before, after in (
        *zip(trained.weights, fresh.weights, strict=True),
        *zip(trained.optimizer.variables, fresh.optimizer.variables, strict=True),
    ):
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (before, after)))


def test_pictures_on_the_accelerator_are_not_saved(tmp_path: Path) -> None:
    progress = Progress(epochs=1, steps=1)
    small, large = (
        make_trainer(1, table=PIXELS),
        make_trainer(1, table=np.tile(PIXELS, (9, 1, 1, 1))),
    )

    save_checkpoint(tmp_path / "small", small, progress)
    save_checkpoint(tmp_path / "large", large, progress)
    load_checkpoint(tmp_path / "large", small)
    load_checkpoint(tmp_path / "large", make_trainer(seed=1))

    sizes = [
        sum(file.stat().st_size for file in (tmp_path / name).rglob("*.h5"))
        for name in ("small", "large")
    ]
    assert sizes[0] == sizes[1]
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(small.lookup.table), PIXELS)


def test_only_the_latest_checkpoint_stays(tmp_path: Path) -> None:
    trainer = make_trainer(seed=1)
    for epochs in (9, 10):
        save_checkpoint(tmp_path, trainer, Progress(epochs=epochs, steps=10 * epochs))

    assert [folder.name for folder in tmp_path.iterdir()] == ["epoch-0010"]
    assert read_progress(tmp_path) == Progress(epochs=10, steps=100)


def test_a_checkpoint_that_was_not_finished_is_not_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = make_trainer(seed=1)
    save_checkpoint(tmp_path, trainer, Progress(epochs=1, steps=10))

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("training.checkpoint.json.dumps", killed)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(tmp_path, trainer, Progress(epochs=2, steps=20))

    assert read_progress(tmp_path) == Progress(epochs=1, steps=10)
