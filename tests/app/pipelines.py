"""Pipelines of fakes: a file of one byte is a picture of that much red."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from app.images import BrokenImageError, DecodedImage
from app.job import Prediction
from app.pipeline import Pipeline
from tests.app.fake_engine import FakeEngine

MAX_BATCH = 4
MAX_QUEUE = 6


class FakeDecoder:
    def __init__(self) -> None:
        self.decoded: list[int] = []
        self.faults: dict[bytes, BaseException] = {}
        """Raised for these files."""
        self.entered = threading.Event()
        self.free = threading.Event()
        """Decoding is held while this is clear."""
        self.free.set()

    def __call__(self, data: bytes) -> DecodedImage:
        self.entered.set()
        self.free.wait()
        if not data:
            raise BrokenImageError("The picture is damaged; send it again.")
        if data in self.faults:
            raise self.faults[data]
        self.decoded.append(data[0])
        return image(data[0])


def pipeline_of(
    engines: Sequence[FakeEngine],
    decoder: FakeDecoder,
    *,
    threads: int = 1,
    max_batch: int = MAX_BATCH,
    count_fault: Callable[[str], Any] = lambda _: None,
) -> Pipeline:
    return Pipeline(
        engines,
        decoder,
        threads=threads,
        max_batch=max_batch,
        max_queue=MAX_QUEUE,
        count_batch=lambda _: None,
        count_fault=count_fault,
    )


def file(red: int) -> bytes:
    return bytes([red])


def image(red: int) -> DecodedImage:
    return DecodedImage(np.full((8, 8, 3), red, np.uint8), 8, 8, "FAKE")


def red_of(prediction: Prediction) -> int:
    return round(255 * prediction.probabilities[0])


async def entered(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, 60)


async def decoded(pipeline: Pipeline, count: int) -> None:
    """Return once so many pictures wait for an engine, each of them decoded."""
    await until(lambda: len(pipeline._pending._decoded) == pipeline.waiting == count)


async def until(condition: Callable[[], bool]) -> None:
    """Let others work until the condition holds."""
    for _ in range(6000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to that")
