from __future__ import annotations

import asyncio
import threading
from contextlib import closing

import numpy as np
import pytest

from app.engines.engine import Answers
from app.errors import DecodingError, InferenceError, NotReadyError, StartupError
from app.pipeline import Pipeline
from tests.app.fake_engine import FakeEngine
from tests.app.pipelines import (
    MAX_BATCH,
    MAX_QUEUE,
    FakeDecoder,
    entered,
    file,
    image,
    pipeline_of,
    red_of,
    until,
)

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _long_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.fitness._REST_SECONDS", 3600)


every_fault = pytest.mark.parametrize(
    "fault", [ArithmeticError(), MemoryError(), StopIteration(), SystemExit(), KeyboardInterrupt()]
)


@every_fault
async def test_fault_of_the_engine_fails_its_batch_alone(
    pipeline: Pipeline, busy: FakeEngine, fault: BaseException
) -> None:
    failing = pipeline.submit_decoded([image(0)] * MAX_BATCH)
    (unharmed,) = pipeline.submit_decoded([image(255)])
    busy.faults = [None, fault]
    busy.free.set()

    assert red_of(await unharmed) == 255
    outcomes = await asyncio.gather(*failing, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [InferenceError] * MAX_BATCH
    assert pipeline.healthy


@every_fault
async def test_fault_of_the_decoder_fails_its_picture_alone(
    pipeline: Pipeline, busy: FakeEngine, decoder: FakeDecoder, fault: BaseException
) -> None:
    decoder.faults[file(7)] = fault
    failing = pipeline.submit(file(7))
    unharmed = pipeline.submit(file(255))
    busy.free.set()

    assert red_of(await unharmed) == 255
    with pytest.raises(DecodingError):
        await failing
    assert pipeline.healthy
    assert pipeline.waiting == 0


async def test_wrong_number_of_answers_is_a_fault(
    pipeline: Pipeline, fake_engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    three = Answers(np.zeros((3, 2), np.float32), np.zeros(3, np.float32))
    monkeypatch.setattr(fake_engine, "predict", lambda _: three)

    with pytest.raises(InferenceError):
        await pipeline.submit(file(0))


async def test_faults_are_counted_where_they_happen(
    fake_engine: FakeEngine, decoder: FakeDecoder
) -> None:
    counted: list[str] = []
    decoder.faults[file(7)] = MemoryError()
    fake_engine.faults = [MemoryError()]
    with closing(pipeline_of([fake_engine], decoder, count_fault=counted.append)) as pipeline:
        answers = [pipeline.submit(file(red)) for red in (0, 7)]
        answers.append(pipeline.submit(b""))  # its own fault
        await asyncio.gather(*answers, return_exceptions=True)

    assert sorted(counted) == ["decode", "inference"]


async def test_engine_that_fails_again_rests_while_another_goes_on(decoder: FakeDecoder) -> None:
    engines = [FakeEngine(), FakeEngine()]
    healthy, broken = engines
    broken.faults = [MemoryError(), MemoryError()]
    with closing(pipeline_of(engines, decoder)) as pipeline:
        with pytest.raises(InferenceError):
            await pipeline.submit(file(0))
        for red in (10, 20):
            assert red_of(await pipeline.submit(file(red))) == red
        (patient,) = pipeline.submit_decoded([image(30)], patient=True)
        assert red_of(await patient) == 30
        assert pipeline.healthy

    assert healthy.batch_sizes == [1, 1, 1]
    assert broken.batch_sizes == [1, 1], "its batch, and a picture to try it"


async def test_without_an_engine_nobody_waits(pipeline: Pipeline, busy: FakeEngine) -> None:
    answers = pipeline.submit_decoded([image(0)], patient=True)
    answers += [pipeline.submit(file(0)) for _ in range(MAX_QUEUE)]
    answers[2].cancel()
    busy.faults = [MemoryError(), MemoryError()]
    busy.free.set()

    outcomes = await asyncio.gather(*answers, return_exceptions=True)
    assert type(outcomes.pop(2)) is asyncio.CancelledError
    assert {type(outcome) for outcome in outcomes} == {NotReadyError}
    assert not pipeline.healthy
    assert pipeline.waiting == 0
    with pytest.raises(NotReadyError):
        pipeline.submit(file(0))


async def test_picture_that_is_decoded_too_late_does_not_wait_either(
    fake_engine: FakeEngine, decoder: FakeDecoder
) -> None:
    fake_engine.faults = [MemoryError(), MemoryError()]
    with closing(pipeline_of([fake_engine], decoder, threads=2)) as pipeline:
        decoder.free.clear()
        late = pipeline.submit(file(0))
        await entered(decoder.entered)
        (failing,) = pipeline.submit_decoded([image(0)])
        await until(lambda: not pipeline.healthy)
        decoder.free.set()

        with pytest.raises(NotReadyError):
            await late
        with pytest.raises(InferenceError):
            await failing


async def test_engine_that_has_rested_is_tried_until_it_answers(
    fake_engine: FakeEngine, decoder: FakeDecoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.fitness._REST_SECONDS", 0)
    fake_engine.faults = [MemoryError()] * 4
    with closing(pipeline_of([fake_engine], decoder)) as pipeline:
        with pytest.raises(InferenceError):
            await pipeline.submit(file(0))
        await until(lambda: fake_engine.batch_sizes == [1] * 5 and pipeline.healthy)

        assert red_of(await pipeline.submit(file(10))) == 10


async def test_fault_of_the_pipeline_itself_fails_all_that_wait(
    pipeline: Pipeline, busy: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_once(*_: object) -> None:
        patched.undo()
        raise ArithmeticError

    answers = [pipeline.submit(file(0)) for _ in range(MAX_QUEUE)]
    with monkeypatch.context() as patched:
        patched.setattr("app.pending.take", fail_once)
        busy.free.set()
        outcomes = await asyncio.gather(*answers, return_exceptions=True)

    assert {type(outcome) for outcome in outcomes} == {InferenceError}
    assert red_of(await pipeline.submit(file(10))) == 10


@pytest.mark.usefixtures("busy")
async def test_hanging_engine_does_not_keep_it_from_closing(pipeline: Pipeline) -> None:
    assert not pipeline.close(0.01)


async def test_fewer_threads_than_asked_for_are_told_and_end(
    fake_engine: FakeEngine, decoder: FakeDecoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, started = threading.Thread.start, []

    def start_two(thread: threading.Thread) -> None:
        if len(started) == 2:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_two)

    with pytest.raises(StartupError, match="gives no 3 threads; set ALEXNET_THREADS lower"):
        pipeline_of([fake_engine], decoder, threads=3)
    assert not any(thread.is_alive() for thread in started)
