"""Train a network by a recipe, epoch by epoch, so that a kill costs one epoch at most."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray
from tensorboard.summary import Writer

from training.batches import Batches
from training.checkpoint import Progress, load_checkpoint, read_progress, save_checkpoint
from training.data import Dataset
from training.files import whole_file
from training.folding import fold_normalization
from training.model import FULL_SIDE
from training.plots import plot_curves
from training.precision import Precision, resolve_precision
from training.progress import StepBar, epoch_line
from training.recipe import Recipe
from training.resizing import copy_training
from training.run import Run
from training.split import Split
from training.trainer import build_trainer, network_of, reseed


class TrainingData(NamedTuple):
    """What a network is trained and validated on."""

    pictures: Callable[[int], Dataset]
    """From a side in pixels to the pictures of that size; always the same ones."""
    classes: NDArray[np.int32]
    class_count: int
    split: Split


def fit(run: Run, recipe: Recipe, data: TrainingData, precision: Precision = "auto") -> None:
    """Train by `recipe` and write to the folder of `run`, from its last checkpoint if it has one.

    The best weights by validation accuracy (then log loss) at full size are kept as a plain
    float32 AlexNet in `run.best_file`.
    """
    _Fit(run, recipe, data, resolve_precision(precision)).finish()


class _Fit:
    def __init__(self, run: Run, recipe: Recipe, data: TrainingData, policy: str) -> None:
        self._run = run
        self._recipe = recipe
        self._data = data
        self._policy = policy
        batch = min(recipe.batch_size, len(data.split.training))
        self._steps_an_epoch = len(data.split.training) // batch
        self._progress = read_progress(run.checkpoint_folder)
        # Rows of an epoch whose checkpoint was not finished are written again.
        self._history = run.read_history()[: self._progress.epochs]

    def finish(self) -> None:
        first = self._progress.epochs
        if first == self._recipe.epochs:
            return
        trainer = self._build(self._recipe.side(max(first - 1, 0)))
        if first:
            load_checkpoint(self._run.checkpoint_folder, trainer)
        writer = Writer(str(self._run.logs_folder))
        for epoch in range(first, self._recipe.epochs):
            trainer = self._at_side(trainer, self._recipe.side(epoch))
            row = self._train_epoch(trainer, epoch)
            self._record(trainer, row, writer)
            print(epoch_line(row, self._recipe.epochs), flush=True)
        writer.close()

    def _build(self, side: int) -> keras.Model:
        steps = self._steps_an_epoch * self._recipe.epochs
        return build_trainer(
            self._recipe,
            classes=self._data.class_count,
            side=side,
            steps=steps,
            policy=self._policy,
        )

    def _at_side(self, trainer: keras.Model, side: int) -> keras.Model:
        if trainer.input_shape[1] == side:
            return trainer
        resized = self._build(side)
        copy_training(trainer, resized)
        return resized

    def _train_epoch(self, trainer: keras.Model, epoch: int) -> dict[str, float]:
        recipe, data = self._recipe, self._data
        side = trainer.input_shape[1]
        pixels = data.pictures(side).pixels
        reseed(trainer, recipe.seed, epoch)
        training = Batches(
            pixels,
            data.classes,
            data.split.training,
            class_count=data.class_count,
            batch_size=recipe.batch_size,
            order=(recipe.seed, epoch),
        )
        validation = Batches(
            pixels,
            data.classes,
            data.split.validation,
            class_count=data.class_count,
            batch_size=recipe.batch_size,
        )
        rate = float(keras.ops.convert_to_numpy(trainer.optimizer.learning_rate))
        started = time.perf_counter()
        logs = trainer.fit(
            training,
            validation_data=validation,
            shuffle=False,
            verbose=0,
            callbacks=[StepBar(f"epoch {epoch + 1}/{recipe.epochs}", len(training))],
        ).history
        self._progress = Progress(epoch + 1, self._progress.steps + len(training))
        return {
            "epoch": epoch + 1,
            "side": side,
            "learning_rate": rate,
            "loss": logs["loss"][0],
            "log_loss": logs["log_loss"][0],
            "accuracy": logs["accuracy"][0],
            "val_log_loss": logs["val_log_loss"][0],
            "val_accuracy": logs["val_accuracy"][0],
            "seconds": time.perf_counter() - started,
        }

    def _record(self, trainer: keras.Model, row: dict[str, float], writer: Writer) -> None:
        """Write everything of an epoch, the checkpoint last: it says that the rest is there."""
        if self._is_best(row):
            plain = fold_normalization(network_of(trainer))
            with whole_file(self._run.best_file) as aside:
                plain.save(aside)
        self._history.append(row)
        self._run.write_history(self._history)
        plot_curves(self._run.curves_file, {self._run.folder.name: self._history})
        for name in row.keys() - {"epoch"}:
            writer.add_scalar(name, row[name], int(row["epoch"]))
        writer.flush()
        save_checkpoint(self._run.checkpoint_folder, trainer, self._progress)

    def _is_best(self, row: dict[str, float]) -> bool:
        def quality(of: dict[str, float]) -> tuple[float, float]:
            return of["val_accuracy"], -of["val_log_loss"]

        rivals = [past for past in self._history if past["side"] == FULL_SIDE]
        return row["side"] == FULL_SIDE and all(quality(row) > quality(past) for past in rivals)
