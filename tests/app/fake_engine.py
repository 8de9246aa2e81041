"""An engine that needs no model: the redder a picture, the more it is of the first class.

The brighter it is, the more typical.
"""

from __future__ import annotations

import threading

import numpy as np

from app.engines.engine import Answers, Pictures


class FakeEngine:
    name = "Fake"
    best_batch = 8

    def __init__(self) -> None:
        self.device = "cpu"
        self.batch_sizes: list[int] = []
        self.faults: list[BaseException | None] = []
        """Raised one a batch, first to last; None lets its batch pass."""
        self.entered = threading.Event()
        self.free = threading.Event()
        """A batch is held while this is clear."""
        self.free.set()

    def predict(self, pictures: Pictures) -> Answers:
        self.batch_sizes.append(len(pictures))
        self.entered.set()
        self.free.wait()
        if self.faults and (fault := self.faults.pop(0)):
            raise fault
        shares = np.stack(pictures).mean(axis=(1, 2)).astype(np.float32) / 255
        red = shares[:, 0]
        return Answers(np.stack([red, 1 - red], axis=1), shares.max(axis=1))
