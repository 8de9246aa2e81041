from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.errors import NotReadyError
from app.lanes.pipeline import LanePipeline
from tests.app.fake_engine import FakeEngine
from tests.app.lanes.pipelines import (
    MAX_QUEUE,
    Counts,
    class_of,
    fill,
    given,
    hours_later,
    replaceable_when_set,
    running,
)
from tests.app.lanes.servers import LastingServer, ThreadServer
from tests.app.pictures import BLUE, picture
from tests.app.pipelines import image, red_of, until

pytestmark = pytest.mark.anyio


async def test_lane_that_hangs_is_ended(
    server: LastingServer,
    counts: Counts,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("app.lanes.pipeline._LOOKING_SECONDS", 0.01)
    later = hours_later(monkeypatch)
    server.stop(0)
    gone = server.numbers[0]
    async with running(server, counts) as pipeline:
        answer = pipeline.submit(picture(BLUE))
        await given(pipeline)
        later()

        assert class_of(await answer) == 1
        await until(lambda: gone not in server.numbers)
    assert counts.faults == ["lane"]
    assert caplog.messages[0] == "A lane hangs, and is ended."


async def test_stall_is_told(
    pipeline: LanePipeline, server: LastingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = hours_later(monkeypatch)
    server.stop(0)
    answer = pipeline.submit(picture())
    await given(pipeline)
    assert pipeline.stalled_seconds() < 3600

    later()
    assert pipeline.stalled_seconds() > 3600
    server.go_on()
    await answer
    assert pipeline.stalled_seconds() == 0


async def test_without_lanes_nobody_waits(
    pipeline: LanePipeline, stopped: LastingServer, irreplaceable: pytest.MonkeyPatch
) -> None:
    answers = await fill(pipeline)
    answers += [pipeline.submit(picture()) for _ in range(MAX_QUEUE)]
    answers[3].cancel()
    assert pipeline.healthy
    for number in stopped.numbers:
        os.kill(number, signal.SIGKILL)
    outcomes = await asyncio.gather(*answers, return_exceptions=True)

    assert type(outcomes.pop(3)) is asyncio.CancelledError
    assert {type(outcome) for outcome in outcomes} == {NotReadyError}
    assert not pipeline.healthy
    assert pipeline.waiting == 0
    with pytest.raises(NotReadyError):
        pipeline.submit(picture())

    irreplaceable.undo()
    await until(lambda: pipeline.healthy)
    assert class_of(await pipeline.submit(picture(BLUE))) == 1


async def test_lane_that_is_left_takes_what_another_had(
    pipeline: LanePipeline, server: LastingServer, irreplaceable: pytest.MonkeyPatch
) -> None:
    server.stop(0)
    answer = pipeline.submit(picture(BLUE))
    await given(pipeline)
    os.kill(server.numbers[0], signal.SIGKILL)

    assert class_of(await answer) == 1
    assert pipeline.healthy
    irreplaceable.undo()


@asynccontextmanager
async def without_lanes(
    counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[LanePipeline, threading.Event]]:
    """Yield a pipeline whose only lane ended with a picture, and what lets it be replaced."""
    engine = FakeEngine()
    server = ThreadServer([engine])
    replaceable = replaceable_when_set(server, monkeypatch)
    async with running(server, counts) as pipeline:
        engine.faults = [SystemExit()]
        (answer,) = pipeline.submit_decoded([image(10)])
        await until(lambda: bool(counts.faults))
        try:
            yield pipeline, replaceable
        finally:
            replaceable.set()
        assert red_of(await answer) == 10


async def test_pictures_are_accepted_while_the_only_lane_is_replaced(
    counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with without_lanes(counts, monkeypatch) as (pipeline, replaceable):
        (answer,) = pipeline.submit_decoded([image(20)])
        replaceable.set()

        assert red_of(await answer) == 20


async def test_pictures_are_refused_where_that_takes_long(
    counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = hours_later(monkeypatch)
    async with without_lanes(counts, monkeypatch) as (pipeline, _):
        assert pipeline.healthy
        assert pipeline.stalled_seconds() < 3600
        later()

        assert not pipeline.healthy
        assert pipeline.stalled_seconds() > 3600
        with pytest.raises(NotReadyError):
            pipeline.submit_decoded([image(20)])


async def test_picture_of_a_lane_that_ended_may_be_withdrawn(
    counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FakeEngine()
    server = ThreadServer([engine])
    replaceable = replaceable_when_set(server, monkeypatch)
    async with running(server, counts) as pipeline:
        engine.faults = [SystemExit()]
        answers = pipeline.submit_decoded([image(10), image(20)])
        await until(lambda: bool(counts.faults))
        answers[0].cancel()
        await until(lambda: pipeline.waiting == 1)
        answers[1].cancel()
        await until(lambda: pipeline.waiting == 0)
        ending = asyncio.create_task(pipeline.end(3600))
        replaceable.set()

        assert await ending


async def test_lane_that_is_left_takes_what_another_had_where_replacing_takes_long(
    pipeline: LanePipeline, server: LastingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.lanes.pipeline._REPLACING_SECONDS", 0.01)
    replaceable = replaceable_when_set(server, monkeypatch)
    server.stop(0)
    answer = pipeline.submit(picture(BLUE))
    await given(pipeline)
    os.kill(server.numbers[0], signal.SIGKILL)
    try:
        assert class_of(await answer) == 1
    finally:
        replaceable.set()
