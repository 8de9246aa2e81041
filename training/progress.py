"""What a person sees while a network trains."""

from __future__ import annotations

from typing import Any

import keras
from tqdm import tqdm

_FEW_STEPS = 500  # below which a network has hardly begun to learn; `best` takes 15,730 on Kaggle's


class StepBar(keras.callbacks.Callback):
    """A progress bar a step, gone when the epoch is."""

    async_safe = True  # or Keras would wait for every step's metrics before it starts the next

    def __init__(self, title: str, steps: int) -> None:
        super().__init__()
        self._title = title
        self._steps = steps

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._bar = tqdm(total=self._steps, desc=self._title, unit="step", leave=False)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._bar.update()
        if logs:
            self._bar.set_postfix(
                loss=f"{logs['loss']:.3f}", accuracy=f"{logs['accuracy']:.3f}", refresh=False
            )

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._bar.close()


def plan_lines(pictures: int, steps_an_epoch: int, epochs: int) -> str:
    """What a training is about to do, and where that is little, what to do about it.

    Args:
        pictures: To train on.
        steps_an_epoch: Batches of them.
        epochs: How many.
    """
    steps = steps_an_epoch * epochs
    plan = f"{pictures} pictures to train on; steps an epoch: {steps_an_epoch}, in all: {steps}"
    if steps >= _FEW_STEPS:
        return plan
    return (
        f"{plan}\nSo few steps teach a network little; give a smaller --batch-size or more "
        '--epochs, and see "Your own pictures" in training/README.md.'
    )


def epoch_line(row: dict[str, float], epochs: int) -> str:
    """One epoch of the history as a line."""
    return (
        f"epoch {row['epoch']:.0f}/{epochs}  {row['side']:.0f} px  "
        f"loss {row['loss']:.4f}  accuracy {row['accuracy']:.4f}  "
        f"val log loss {row['val_log_loss']:.4f}  val accuracy {row['val_accuracy']:.4f}  "
        f"{row['pictures_per_second']:.0f} pictures/s  {row['seconds']:.0f} s"
    )
