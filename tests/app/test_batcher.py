from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest
from numpy.typing import NDArray

from app.batcher import Batcher
from app.errors import InferenceError, NotReadyError, OverloadedError
from tests.app.fake_engine import FakeEngine

MAX_BATCH = 4
MAX_QUEUE = 6


@pytest.fixture
def batcher(fake_engine: FakeEngine) -> Iterator[Batcher]:
    with closing(Batcher(fake_engine, MAX_BATCH, MAX_QUEUE)) as batcher:
        yield batcher
        fake_engine.free.set()


@pytest.fixture
def busy(batcher: Batcher, fake_engine: FakeEngine) -> FakeEngine:
    """The engine, held at its first batch of one picture."""
    fake_engine.free.clear()
    batcher.submit(pixels(0))
    fake_engine.entered.wait()
    return fake_engine


def pixels(red: int) -> NDArray[np.uint8]:
    return np.full((8, 8, 3), red, np.uint8)


def test_single_picture_does_not_wait_for_others(batcher: Batcher, fake_engine: FakeEngine) -> None:
    prediction = batcher.submit(pixels(255)).result()

    assert prediction.probabilities.tolist() == [1, 0]
    assert prediction.queue_ms >= 0
    assert prediction.inference_ms >= 0
    assert fake_engine.batch_sizes == [1]


def test_waiting_pictures_are_batched_in_order(batcher: Batcher, busy: FakeEngine) -> None:
    futures = [batcher.submit(pixels(red)) for red in range(0, 250, 50)]
    busy.free.set()

    reds = [round(255 * future.result().probabilities[0]) for future in futures]
    assert reds == list(range(0, 250, 50))
    assert busy.batch_sizes == [1, MAX_BATCH, 1]


def test_full_queue_refuses(batcher: Batcher, busy: FakeEngine) -> None:
    futures = [batcher.submit(pixels(0)) for _ in range(MAX_QUEUE)]
    with pytest.raises(OverloadedError, match="try again"):
        batcher.submit(pixels(0))

    busy.free.set()
    assert all(future.result() for future in futures)


def test_cancelled_picture_is_skipped(batcher: Batcher, busy: FakeEngine) -> None:
    gone = batcher.submit(pixels(0))
    stayed = batcher.submit(pixels(255))
    assert gone.cancel()
    busy.free.set()

    assert stayed.result().probabilities.tolist() == [1, 0]
    assert busy.batch_sizes == [1, 1]


def test_fault_of_the_engine_fails_its_batch_alone(batcher: Batcher, busy: FakeEngine) -> None:
    failing = [batcher.submit(pixels(0)) for _ in range(MAX_BATCH)]
    unharmed = batcher.submit(pixels(255))
    busy.faults = [None, ArithmeticError("of the second batch")]
    busy.free.set()

    assert unharmed.result().probabilities.tolist() == [1, 0]
    assert all(isinstance(future.exception(), InferenceError) for future in failing)
    assert batcher.healthy


def test_wrong_number_of_answers_is_a_fault(
    batcher: Batcher, fake_engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake_engine, "predict", lambda _: np.zeros((3, 2), np.float32))

    with pytest.raises(InferenceError):
        batcher.submit(pixels(0)).result()


def test_end_of_the_thread_fails_all_that_wait(batcher: Batcher, busy: FakeEngine) -> None:
    futures = [batcher.submit(pixels(0)) for _ in range(MAX_QUEUE)]
    futures[2].cancel()
    busy.faults = [SystemExit()]
    busy.free.set()

    for future in futures[:2] + futures[3:]:
        with pytest.raises(NotReadyError):
            future.result()
    assert not batcher.healthy
    with pytest.raises(NotReadyError):
        batcher.submit(pixels(0))


def test_close_answers_what_waits(fake_engine: FakeEngine) -> None:
    batcher = Batcher(fake_engine, MAX_BATCH, MAX_QUEUE)
    futures = [batcher.submit(pixels(0)) for _ in range(MAX_QUEUE)]

    batcher.close()

    assert all(future.done() and future.exception() is None for future in futures)
    assert not batcher.healthy
