"""Batches for Keras, in an order that the seed and the epoch decide."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

_WORKERS = 2
"""Threads. Without, Keras on TensorFlow leaves the work to tf.data, whose thread for tuning itself
sleeps for up to a minute and is waited for at the end of every epoch."""
_AHEAD = 4  # batches


class Batches(keras.utils.PyDataset):
    """What a `Trainer` is fed: pictures and one-hot targets, together.

    Args:
        pictures: Those of the data set, in its order: their pixels, memory-mapped, of shape
            (n, side, side, 3) and uint8, or their positions in a `Lookup`, int32 (n,).
        classes: The class index of every picture, shape (n,).
        positions: Which of them to use, shape (m,).
        class_count: The width of the targets.
        batch_size: Pictures a batch.
        order: None keeps the order of `positions` and all of them; else the seeds of a
            permutation, and the last batch is dropped if it is not full.
    """

    def __init__(
        self,
        pictures: NDArray[np.uint8] | NDArray[np.int32],
        classes: NDArray[np.int32],
        positions: NDArray[np.intp],
        *,
        class_count: int,
        batch_size: int,
        order: tuple[int, ...] | None = None,
    ) -> None:
        # Positions are there at once; threads take 1 ms to pass them on, a third of a GPU's step.
        at_once = pictures.ndim == 1 and keras.backend.backend() == "jax"
        super().__init__(workers=0 if at_once else _WORKERS, max_queue_size=_AHEAD)
        self._pictures = pictures
        self._classes = classes
        self._class_count = class_count
        self._batch_size = min(batch_size, len(positions))
        if order is None:
            self._positions = positions
        else:
            shuffled = np.random.default_rng(order).permutation(positions)
            self._positions = shuffled[: len(shuffled) // self._batch_size * self._batch_size]

    @property
    def picture_count(self) -> int:
        """In all batches."""
        return len(self._positions)

    def __len__(self) -> int:
        return -(-len(self._positions) // self._batch_size)

    def __getitem__(self, index: int) -> tuple[tuple[NDArray[Any], NDArray[np.float32]]]:
        start = index * self._batch_size
        # In ascending order a memory map is read faster; within a batch order does not matter.
        chosen = np.sort(self._positions[start : start + self._batch_size])
        targets = np.eye(self._class_count, dtype=np.float32)[self._classes[chosen]]
        return ((np.asarray(self._pictures[chosen]), targets),)
