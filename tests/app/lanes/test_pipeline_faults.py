from __future__ import annotations

import asyncio
import os
import signal

import pytest

from app.errors import DecodingError, InferenceError
from app.images import BrokenImageError
from app.lanes.pipeline import LanePipeline
from app.request_id import request_id
from tests.app.fake_engine import FakeEngine
from tests.app.lanes.pipelines import (
    MAX_QUEUE,
    UNDECODABLE,
    Counts,
    class_of,
    decoded,
    fill,
    given,
    kill_twice,
    running,
)
from tests.app.lanes.servers import LastingServer, ThreadServer
from tests.app.pictures import BLUE, picture
from tests.app.pipelines import entered, image, red_of, until

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("place", [0, 1])
async def test_lane_that_is_killed_loses_no_picture(
    pipeline: LanePipeline, stopped: LastingServer, counts: Counts, place: int
) -> None:
    answers = await fill(pipeline)
    answers += [pipeline.submit(picture(BLUE)) for _ in range(MAX_QUEUE)]
    gone = stopped.numbers[place]
    os.kill(gone, signal.SIGKILL)
    stopped.go_on()

    predictions = await asyncio.gather(*answers)
    assert [class_of(prediction) for prediction in predictions] == [0, 0] + [1] * MAX_QUEUE
    assert counts.faults == ["lane"]
    await until(lambda: gone not in stopped.numbers)


async def test_lanes_that_are_killed_at_work_lose_no_picture(
    pipeline: LanePipeline, server: LastingServer, counts: Counts
) -> None:
    answers = [pipeline.submit(picture(BLUE)) for _ in range(MAX_QUEUE)]
    numbers = server.numbers
    for number in numbers:
        os.kill(number, signal.SIGKILL)

    assert [class_of(prediction) for prediction in await asyncio.gather(*answers)] == [1] * 6
    await until(lambda: pipeline.healthy and not set(numbers) & set(server.numbers))
    assert set(counts.faults) == {"lane"}


async def test_lane_that_is_killed_while_it_is_idle_is_replaced(
    pipeline: LanePipeline, server: LastingServer, caplog: pytest.LogCaptureFixture
) -> None:
    await pipeline.submit(picture())
    gone = server.numbers[1]
    os.kill(gone, signal.SIGKILL)
    await until(lambda: bool(caplog.messages))

    assert caplog.messages == ["A lane ended (SIGKILL); another one takes its place."]
    assert gone not in server.numbers


async def test_picture_that_ends_two_lanes_is_broken(
    pipeline: LanePipeline, stopped: LastingServer, counts: Counts
) -> None:
    stopped.stops_lanes = True
    answer = pipeline.submit(picture())
    await given(pipeline)
    await kill_twice(pipeline, stopped)

    with pytest.raises(BrokenImageError, match="ended its decoder"):
        await answer
    await until(lambda: pipeline.healthy)
    assert class_of(await pipeline.submit(picture(BLUE))) == 1
    assert set(counts.faults) == {"lane"}


async def test_pixels_that_end_two_lanes_are_not_to_blame(
    pipeline: LanePipeline, stopped: LastingServer
) -> None:
    stopped.stops_lanes = True
    (answer,) = pipeline.submit_decoded([decoded()])
    await given(pipeline)
    await kill_twice(pipeline, stopped)

    with pytest.raises(InferenceError):
        await answer


async def test_neighbours_of_a_picture_that_ends_two_lanes_are_predicted(
    counts: Counts,
) -> None:
    engine = FakeEngine()
    server = ThreadServer([engine])
    engine.free.clear()
    async with running(server, counts, max_batch=1) as pipeline:
        (culprit,) = pipeline.submit_decoded([image(0)])
        await entered(engine.entered)
        others = pipeline.submit_decoded([image(red) for red in (10, 20, 30)])
        engine.faults = [SystemExit(), None, SystemExit()]  # in between, it shows that it answers
        engine.free.set()

        assert [red_of(await other) for other in others] == [10, 20, 30]
        with pytest.raises(InferenceError):
            await culprit
    assert counts.faults == ["lane", "lane"]


async def test_fault_of_the_engine_is_forgiven_once(counts: Counts) -> None:
    engine = FakeEngine()
    async with running(ThreadServer([engine]), counts) as pipeline:
        engine.faults = [MemoryError()]
        (answer,) = pipeline.submit_decoded([image(200)])

        assert red_of(await answer) == 200
    assert counts.faults == ["inference"]


async def test_second_fault_of_the_engine_is_told(counts: Counts) -> None:
    engine = FakeEngine()
    async with running(ThreadServer([engine]), counts) as pipeline:
        engine.faults = [MemoryError(), None, MemoryError()]
        (answer,) = pipeline.submit_decoded([image(200)])

        with pytest.raises(InferenceError):
            await answer
        (answer,) = pipeline.submit_decoded([image(100)])
        assert red_of(await answer) == 100
    assert counts.faults == ["inference", "inference"]


async def test_batch_that_the_engine_failed_on_is_tried_picture_by_picture(counts: Counts) -> None:
    engine = FakeEngine()
    server = ThreadServer([engine])
    engine.free.clear()
    async with running(server, counts) as pipeline:
        answers = pipeline.submit_decoded([image(0)])
        await entered(engine.entered)
        answers += pipeline.submit_decoded([image(red) for red in (10, 20, 30)])
        engine.faults = [None, MemoryError()]
        engine.free.set()

        assert [red_of(await answer) for answer in answers] == [0, 10, 20, 30]
    assert engine.batch_sizes == [1, 1, 1]
    assert counts.batches == [1, 1, 1, 1]


async def test_unexpected_failure_to_decode_is_told(
    counts: Counts, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(ThreadServer([FakeEngine()], UNDECODABLE), counts) as pipeline:
        with pytest.raises(DecodingError, match="try again"):
            await pipeline.submit(picture())
        (answer,) = pipeline.submit_decoded([image(100)])
        assert red_of(await answer) == 100

    assert counts.faults == ["decode"]
    assert "TypeError" in caplog.text


async def test_faults_are_logged_with_the_names_of_their_requests(
    counts: Counts, caplog: pytest.LogCaptureFixture
) -> None:
    names: list[str] = []
    caplog.handler.addFilter(lambda _: names.append(request_id.get()) or True)
    engine = FakeEngine()
    async with running(ThreadServer([engine], UNDECODABLE), counts) as pipeline:
        engine.faults = [MemoryError()]
        request_id.set("first")
        await asyncio.gather(*pipeline.submit_decoded([image(100)]))
        request_id.set("second")
        await asyncio.gather(pipeline.submit(picture()), return_exceptions=True)

    assert [message.split("\n")[0] for message in caplog.messages] == [
        "The engine failed on 1 pictures.",
        "A lane ended (fate); another one takes its place.",
        "Decoding failed unexpectedly.",
    ]
    assert (names[0], names[2]) == ("first", "second")
