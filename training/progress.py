"""What a person sees while a network trains."""

from __future__ import annotations

from typing import Any

import keras
from tqdm import tqdm


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


def epoch_line(row: dict[str, float], epochs: int) -> str:
    """One epoch of the history as a line."""
    return (
        f"epoch {row['epoch']:.0f}/{epochs}  {row['side']:.0f} px  "
        f"loss {row['loss']:.4f}  accuracy {row['accuracy']:.4f}  "
        f"val log loss {row['val_log_loss']:.4f}  val accuracy {row['val_accuracy']:.4f}  "
        f"{row['pictures_per_second']:.0f} pictures/s  {row['seconds']:.0f} s"
    )
