"""Train a network by a recipe, epoch by epoch, so that a kill costs little."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from training.batches import Batches
from training.checkpoint import Progress, load_checkpoint, read_progress, save_checkpoint
from training.devices import SharedBatches, require_even_shares
from training.environment import current_environment, note_environment
from training.errors import RunError
from training.files import whole_file
from training.folding import fold_normalization
from training.logs import ScalarLog
from training.lookup import Lookup, Place, on_accelerator
from training.model import FULL_SIDE
from training.plots import plot_curves
from training.precision import Precision, resolve_precision
from training.progress import StepBar, epoch_line, plan_lines
from training.recipe import Recipe
from training.resizing import copy_training, copy_weights
from training.run import Run
from training.split import Split
from training.start import Start, begin_from
from training.trainer import Trainer, build_trainer, reseed

_SETTLED_BY = 1024  # training pictures, at most, that statistics of earlier weights are taken from
_SAVING_SHARE = 0.05  # of the time, at most, goes into saving: on a GPU an epoch takes seconds


class TrainingData(NamedTuple):
    """What a network is trained and validated on."""

    pixels: NDArray[np.uint8]
    """Shape (n, side, side, 3), at full size."""
    classes: NDArray[np.int32]
    labels: tuple[str, ...]
    split: Split


def fit(
    run: Run,
    recipe: Recipe,
    data: TrainingData,
    precision: Precision = "auto",
    place: Place = "auto",
    devices: Sequence[str] = (),
    start: Start | None = None,
) -> None:
    """Train by `recipe` and write to the folder of `run`, from its last checkpoint if it has one.

    The best weights by validation accuracy (then log loss) at full size are kept as a plain
    float32 AlexNet in `run.best_file`. A checkpoint is written after every epoch, unless epochs
    are so short that writing would take more than a twentieth of the time. It can be gone on
    from with another number of `devices`. Without a checkpoint it begins from `start`, or else
    at random.

    Raises:
        ValueError: A batch cannot be shared out evenly among `devices`.
        DeviceError: The accelerator has no room for the pictures.
        RunError: The last checkpoint or the history is damaged.
        StorageError: There is no room; the last checkpoint is still there.
    """
    shared = SharedBatches(devices).scope() if devices else contextlib.nullcontext()
    with shared:
        _Fit(
            run, recipe, data, resolve_precision(precision), on_accelerator(place), devices, start
        ).finish()


class _Fit:
    def __init__(
        self,
        run: Run,
        recipe: Recipe,
        data: TrainingData,
        policy: str,
        from_table: bool,
        devices: Sequence[str],
        start: Start | None,
    ) -> None:
        self._run = run
        self._recipe = recipe
        self._data = data
        self._policy = policy
        self._from_table = from_table
        self._lookup: Lookup | None = None
        self._device_count = max(len(devices), 1)
        self._start = start
        batch = min(recipe.batch_size, len(data.split.training))
        require_even_shares(batch, devices)
        self._steps_an_epoch = len(data.split.training) // batch
        self._progress = read_progress(run.checkpoint_folder)
        # Rows of an epoch whose checkpoint was not finished are written again.
        self._history = run.read_history()[: self._progress.epochs]
        if len(self._history) < self._progress.epochs or self._progress.epochs > recipe.epochs:
            raise RunError(
                f"{run.checkpoint_folder} is {self._progress.epochs} epochs on, and "
                f"{run.history_file} has {len(self._history)} of {recipe.epochs}; train again, "
                "with another --run."
            )
        self._unsaved_best: keras.Model | None = None
        self._saved_at = time.perf_counter()
        self._saving_took = 0.0

    def finish(self) -> None:
        first = self._progress.epochs
        if first == self._recipe.epochs:
            return
        pictures = len(self._data.split.training)
        print(plan_lines(pictures, self._steps_an_epoch, self._recipe.epochs), flush=True)
        if self._from_table:  # one for all sides: it takes gigabytes of the accelerator's memory
            self._lookup = Lookup(self._data.pixels)
        if first:
            trainer = self._build(self._recipe.side(first - 1))
            load_checkpoint(self._run.checkpoint_folder, trainer)
        else:
            trainer = self._begin()
        environment = current_environment(self._policy, self._device_count)
        note_environment(self._run, environment, resumed=first > 0)
        log = ScalarLog(self._run.logs_folder)
        for epoch in range(first, self._recipe.epochs):
            trainer = self._at_side(trainer, self._recipe.side(epoch))
            row = self._train_epoch(trainer, epoch)
            self._record(trainer, row, log)
            if epoch + 1 == self._recipe.epochs or self._saving_pays():
                self._save(trainer)
            print(epoch_line(row, self._recipe.epochs), flush=True)

    def _begin(self) -> Trainer:
        if self._start is None:
            return self._build(self._recipe.side(0))
        trainer = self._build(self._start.plain.input_shape[1])
        positions = self._data.split.training
        chosen = positions[:: -(-len(positions) // _SETTLED_BY)]
        pixels = np.asarray(self._data.pixels[chosen])
        begin_from(self._start, trainer.network, self._data.labels, pixels)
        if trainer.average is not None:
            copy_weights(trainer.network, trainer.average.network)
        return trainer

    def _build(self, side: int) -> Trainer:
        steps = self._steps_an_epoch * self._recipe.epochs
        return build_trainer(
            self._recipe,
            classes=len(self._data.labels),
            side=side,
            steps=steps,
            policy=self._policy,
            lookup=self._lookup,
        )

    def _at_side(self, trainer: Trainer, side: int) -> Trainer:
        if trainer.side == side:
            return trainer
        resized = self._build(side)
        copy_training(trainer, resized)
        return resized

    def _train_epoch(self, trainer: Trainer, epoch: int) -> dict[str, float]:
        recipe = self._recipe
        reseed(trainer, recipe.seed, epoch)
        training = self._batches(self._data.split.training, (recipe.seed, epoch))
        rate = float(keras.ops.convert_to_numpy(trainer.optimizer.learning_rate))
        trainer.waiting.seconds = 0.0
        started = time.perf_counter()
        logs = trainer.fit(
            training,
            shuffle=False,
            verbose=0,
            callbacks=[StepBar(f"epoch {epoch + 1}/{recipe.epochs}", len(training))],
        ).history
        trained = time.perf_counter() - started
        validated = self._validate(trainer)
        self._progress = Progress(epoch + 1, self._progress.steps + len(training))
        return {
            "epoch": epoch + 1,
            "side": trainer.side,
            "learning_rate": rate,
            "loss": logs["loss"][0],
            "log_loss": logs["log_loss"][0],
            "accuracy": logs["accuracy"][0],
            "val_log_loss": validated["log_loss"],
            "val_accuracy": validated["accuracy"],
            "pictures_per_second": training.picture_count / trained,
            "waiting": trainer.waiting.seconds / trained,
            "seconds": time.perf_counter() - started,
        }

    def _validate(self, trainer: Trainer) -> dict[str, float]:
        """Log loss and accuracy; the pictures that cannot be shared out come on their own."""
        positions = self._data.split.validation
        left = len(positions) % self._device_count
        parts = [part for part in np.split(positions, [len(positions) - left]) if len(part)]
        measured = [
            trainer.evaluate(self._batches(part), verbose=0, return_dict=True) for part in parts
        ]
        weights = [len(part) / len(positions) for part in parts]
        return {
            name: sum(weight * each[name] for weight, each in zip(weights, measured, strict=True))
            for name in ("log_loss", "accuracy")
        }

    def _batches(
        self, positions: NDArray[np.intp], order: tuple[int, ...] | None = None
    ) -> Batches:
        pixels = self._data.pixels
        return Batches(
            np.arange(len(pixels), dtype=np.int32) if self._from_table else pixels,
            self._data.classes,
            positions,
            class_count=len(self._data.labels),
            batch_size=self._recipe.batch_size,
            order=order,
        )

    def _record(self, trainer: Trainer, row: dict[str, float], log: ScalarLog) -> None:
        if self._is_best(row):
            self._unsaved_best = fold_normalization(trainer.result)
        self._history.append(row)
        self._run.write_history(self._history)
        log.add(int(row["epoch"]), {name: value for name, value in row.items() if name != "epoch"})

    def _is_best(self, row: dict[str, float]) -> bool:
        def quality(of: dict[str, float]) -> tuple[float, float]:
            return of["val_accuracy"], -of["val_log_loss"]

        rivals = [past for past in self._history if past["side"] == FULL_SIDE]
        return row["side"] == FULL_SIDE and all(quality(row) > quality(past) for past in rivals)

    def _saving_pays(self) -> bool:
        return time.perf_counter() - self._saved_at >= self._saving_took / _SAVING_SHARE

    def _save(self, trainer: Trainer) -> None:
        """Write what takes long to, the checkpoint last: it says that the rest is there."""
        started = time.perf_counter()
        if self._unsaved_best is not None:
            with whole_file(self._run.best_file) as aside:
                self._unsaved_best.save(aside)
            self._unsaved_best = None
        plot_curves(self._run.curves_file, {self._run.folder.name: self._history})
        save_checkpoint(self._run.checkpoint_folder, trainer, self._progress)
        self._saved_at = time.perf_counter()
        self._saving_took = self._saved_at - started
