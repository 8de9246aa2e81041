from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from training.checkpoint import Progress, load_checkpoint, read_progress, save_checkpoint
from training.errors import RunError, StorageError
from training.lookup import Lookup
from training.recipe import BEST
from training.trainer import Trainer, build_trainer

PIXELS = np.random.default_rng(0).integers(0, 256, (4, 99, 99, 3), dtype=np.uint8)
TARGETS = np.eye(2, dtype=np.float32)[[0, 1, 0, 1]]


def make_trainer(seed: int, lookup: Lookup | None = None) -> Trainer:
    recipe = BEST.override({"width": 1 / 32, "seed": seed, "average": 0.9})
    return build_trainer(
        recipe, classes=2, side=99, steps=10, policy="mixed_bfloat16", lookup=lookup
    )


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
        make_trainer(1, lookup=Lookup(PIXELS)),
        make_trainer(1, lookup=Lookup(np.tile(PIXELS, (9, 1, 1, 1)))),
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


def test_a_disk_that_is_too_small_leaves_the_checkpoint_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = make_trainer(seed=1)
    save_checkpoint(tmp_path, trainer, Progress(epochs=1, steps=10))
    # Its weights, those of the average and the optimizer's two moments.
    size = 4 * 4 * sum(weights.size for weights in trainer.network.get_weights())
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=0.9 * size))

    with pytest.raises(StorageError, match=r"epoch-0002 takes .* make room"):
        save_checkpoint(tmp_path, trainer, Progress(epochs=2, steps=20))

    assert [path.name for path in tmp_path.iterdir()] == ["epoch-0001"]


def test_a_file_that_is_no_checkpoint_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".DS_Store").touch()

    save_checkpoint(tmp_path, make_trainer(seed=1), Progress(epochs=1, steps=10))

    assert {path.name for path in tmp_path.iterdir()} == {".DS_Store", "epoch-0001"}


@pytest.mark.parametrize("state", [None, b"", b"{}", b"[1]", b"\xff"])
def test_a_damaged_state_is_told(tmp_path: Path, state: bytes | None) -> None:
    (tmp_path / "epoch-0003").mkdir()
    if state is not None:
        (tmp_path / "epoch-0003" / "state.json").write_bytes(state)

    with pytest.raises(RunError, match=r"epoch-0003 is damaged \(.*\); train again"):
        read_progress(tmp_path)


@pytest.mark.parametrize("kept", [0, 100, 0.5])
def test_damaged_weights_are_told(tmp_path: Path, kept: float) -> None:
    trainer = make_trainer(seed=1)
    save_checkpoint(tmp_path, trainer, Progress(epochs=3, steps=30))
    weights = tmp_path / "epoch-0003" / "trainer.weights.h5"
    os.truncate(weights, int(kept * weights.stat().st_size) if kept < 1 else int(kept))

    with pytest.raises(RunError, match=r"epoch-0003 is damaged \(.*\); train again"):
        load_checkpoint(tmp_path, trainer)
