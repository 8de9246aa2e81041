from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest

from app.errors import NotReadyError
from app.images import BrokenImageError
from app.lanes.fork_server import ForkServer
from app.lanes.pipeline import LanePipeline
from tests.app.lanes.pipelines import (
    MAX_QUEUE,
    Counts,
    class_of,
    decoded,
    fill,
    given,
    kill_twice,
    running,
)
from tests.app.lanes.servers import TINY, LastingServer, await_ends, lane_processes
from tests.app.pictures import BLUE, picture
from tests.app.pipelines import until

pytestmark = pytest.mark.anyio


async def test_end_predicts_what_waits_and_leaves_no_process(
    tiny_model: Path, counts: Counts
) -> None:
    before = lane_processes()
    server = ForkServer((tiny_model / "model.tflite").read_bytes(), TINY)
    async with running(server, counts) as pipeline:
        answers = [pipeline.submit(picture(BLUE)) for _ in range(MAX_QUEUE - 1)]
        answers += pipeline.submit_decoded([decoded()] * MAX_QUEUE, patient=True)

        assert await pipeline.end(60)
        assert [class_of(answer.result()) for answer in answers] == [1] * 5 + [0] * 6
        assert lane_processes() == before
        assert not pipeline.healthy
        with pytest.raises(NotReadyError):
            pipeline.submit(picture())


async def test_end_waits_no_longer_than_it_may(
    pipeline: LanePipeline, stopped: LastingServer
) -> None:
    answers = await fill(pipeline)
    answers += [pipeline.submit(picture()) for _ in range(MAX_QUEUE)]
    numbers = stopped.numbers

    assert not await pipeline.end(0)
    outcomes = await asyncio.gather(*answers, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {NotReadyError}
    await_ends(psutil.Process(number) for number in numbers if psutil.pid_exists(number))


@pytest.mark.usefixtures("stopped")
async def test_end_waits_for_no_lane_that_does_not_read(pipeline: LanePipeline) -> None:
    answers = [pipeline.submit(picture().ljust(2**22)) for _ in range(2)]

    assert not await pipeline.end(0)
    assert [type(answer.exception()) for answer in answers] == [NotReadyError] * 2


async def test_end_does_not_wait_for_a_picture_that_ends_lanes(
    pipeline: LanePipeline, stopped: LastingServer
) -> None:
    stopped.stops_lanes = True
    answer = pipeline.submit(picture())
    await given(pipeline)
    ending = asyncio.create_task(pipeline.end(3600))
    await kill_twice(pipeline, stopped)

    assert await ending
    with pytest.raises(BrokenImageError):
        await answer


async def test_end_leaves_no_lane_that_is_about_to_replace_another(
    tiny_model: Path, counts: Counts
) -> None:
    before = lane_processes()
    server = ForkServer((tiny_model / "model.tflite").read_bytes(), TINY)
    async with running(server, counts) as pipeline:
        await pipeline.submit(picture())
        for lane in server.processes:
            lane.kill()
        await until(lambda: bool(counts.faults))

    assert lane_processes() == before
