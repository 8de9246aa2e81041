from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import numpy as np
import psutil
import pytest

from app.errors import (
    DecodingError,
    InferenceError,
    NotReadyError,
    OverloadedError,
    StartupError,
)
from app.images import BrokenImageError, DecodedImage, UnsupportedImageError, decode_image
from app.job import Fault, Prediction
from app.lanes.fork_server import ForkServer
from app.lanes.pipeline import LanePipeline
from app.request_id import request_id
from tests.app.fake_engine import FakeEngine
from tests.app.lanes.servers import (
    FAKE,
    TINY,
    LastingServer,
    ThreadServer,
    await_ends,
    lane_processes,
)
from tests.app.pictures import BLUE, RED, picture
from tests.app.pipelines import entered, image, red_of, until

pytestmark = pytest.mark.anyio

MAX_BATCH = 4
MAX_QUEUE = 6
UNDECODABLE = FAKE._replace(order=FAKE.order._replace(max_pixels=None))
"""Decoding fails, for no fault of any picture."""


class Counts:
    def __init__(self) -> None:
        self.batches: list[int] = []
        self.faults: list[Fault] = []


@pytest.fixture(scope="module")
def lasting_server(tiny_model: Path) -> Iterator[LastingServer]:
    server = LastingServer(tiny_model)
    yield server
    server.end_for_good()


@pytest.fixture
def server(lasting_server: LastingServer) -> LastingServer:
    return lasting_server


@pytest.fixture
def counts() -> Counts:
    return Counts()


@pytest.fixture
async def pipeline(server: LastingServer, counts: Counts) -> AsyncIterator[LanePipeline]:
    async with running(server, counts) as pipeline:
        yield pipeline


@pytest.fixture
def stopped(server: LastingServer) -> LastingServer:
    """The server, whose lanes take pictures and do nothing about them."""
    server.stop_all()
    return server


@asynccontextmanager
async def running(
    server: ForkServer | ThreadServer, counts: Counts, *, max_batch: int = MAX_BATCH
) -> AsyncIterator[LanePipeline]:
    pipeline = LanePipeline(
        server,
        max_batch=max_batch,
        max_queue=MAX_QUEUE,
        count_batch=counts.batches.append,
        count_fault=counts.faults.append,
    )
    try:
        yield pipeline
    finally:
        await pipeline.end(0)


def decoded(color: tuple[int, int, int] = RED) -> DecodedImage:
    return decode_image(picture(color), TINY.order.size)


def class_of(prediction: Prediction) -> int:
    return int(prediction.probabilities.argmax())


async def given(pipeline: LanePipeline) -> None:
    """Return once lanes have what waited."""
    await until(lambda: pipeline.waiting == 0)


async def given_again(pipeline: LanePipeline, server: LastingServer, gone: int) -> None:
    """Return once other lanes have it, none of which is the one of that number."""
    await until(lambda: gone not in server.numbers and pipeline.waiting == 0)


async def fill(pipeline: LanePipeline) -> list[asyncio.Future[Prediction]]:
    """Give stopped lanes all that they take, which is one picture each."""
    answers = []
    for _ in TINY.threads * [0]:
        answers.append(pipeline.submit(picture()))
        await given(pipeline)
    return answers


async def test_picture_is_predicted(pipeline: LanePipeline, counts: Counts) -> None:
    prediction = await pipeline.submit(picture(BLUE))

    assert class_of(prediction) == 1
    assert prediction.typicality == pytest.approx(230 / 255, abs=0.01)
    assert prediction.image[1:] == (64, 48, "JPEG")
    assert prediction.image.pixels.shape == (0, 0, 3)
    assert min(prediction.decode_ms, prediction.queue_ms, prediction.inference_ms) > 0
    assert counts.batches == [1]
    assert counts.faults == []


async def test_each_picture_has_its_own_answer(pipeline: LanePipeline, counts: Counts) -> None:
    for _ in range(5):
        answers = [pipeline.submit(picture(color)) for color in (RED, BLUE, BLUE, RED, BLUE)]
        assert [class_of(await answer) for answer in answers] == [0, 1, 1, 0, 1]

    assert sum(counts.batches) == 25
    assert max(counts.batches) <= MAX_BATCH


async def test_broken_file_fails_alone(
    pipeline: LanePipeline, stopped: LastingServer, counts: Counts
) -> None:
    first = await fill(pipeline)
    neighbours = [pipeline.submit(picture(color)) for color in (RED, BLUE)]
    unknown, broken = pipeline.submit(b"no picture"), pipeline.submit(picture()[:300])
    neighbours += [pipeline.submit(picture(color)) for color in (BLUE, RED)]
    stopped.go_on()

    assert [class_of(await answer) for answer in neighbours] == [0, 1, 1, 0]
    with pytest.raises(UnsupportedImageError, match="send one of JPEG"):
        await unknown
    with pytest.raises(BrokenImageError):
        await broken
    await asyncio.gather(*first)
    assert counts.faults == []


@pytest.mark.parametrize("patient", [False, True])
async def test_decoded_pictures_are_predicted(pipeline: LanePipeline, patient: bool) -> None:
    images = [decoded(color) for color in (RED, BLUE, RED)]
    predictions = await asyncio.gather(*pipeline.submit_decoded(images, patient=patient))

    assert [class_of(prediction) for prediction in predictions] == [0, 1, 0]
    assert [prediction.decode_ms for prediction in predictions] == [0, 0, 0]
    assert predictions[1].image is images[1]


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
async def test_pixels_are_kept_for_who_wants_them(pipeline: LanePipeline, file_format: str) -> None:
    file = picture(BLUE, file_format=file_format)
    with_pixels = pipeline.submit(file, keeps_pixels=True)
    without = pipeline.submit(file)

    kept = (await with_pixels).image
    assert kept[1:] == (64, 48, file_format)
    np.testing.assert_array_equal(kept.pixels, decode_image(file, TINY.order.size).pixels)
    assert (await without).image.pixels.size == 0


@pytest.mark.usefixtures("stopped")
async def test_full_queue_refuses(pipeline: LanePipeline, server: LastingServer) -> None:
    answers = await fill(pipeline)
    answers += [pipeline.submit(picture()) for _ in range(MAX_QUEUE)]

    assert pipeline.waiting == MAX_QUEUE
    with pytest.raises(OverloadedError, match="try again"):
        pipeline.submit(picture())
    with pytest.raises(OverloadedError, match="try again"):
        pipeline.check_room()

    server.go_on()
    assert len(await asyncio.gather(*answers)) == MAX_QUEUE + 2
    pipeline.check_room()


@pytest.mark.usefixtures("stopped")
@pytest.mark.parametrize("patient", [False, True])
async def test_decoded_pictures_are_accepted_all_or_none(
    pipeline: LanePipeline, server: LastingServer, patient: bool
) -> None:
    answers = await fill(pipeline)
    with pytest.raises(OverloadedError, match="try again"):
        pipeline.submit_decoded([decoded()] * (MAX_QUEUE + 1), patient=patient)
    assert pipeline.waiting == 0

    answers += pipeline.submit_decoded([decoded()] * MAX_QUEUE, patient=patient)
    server.go_on()
    assert len(await asyncio.gather(*answers)) == MAX_QUEUE + 2


@pytest.mark.usefixtures("stopped")
@pytest.mark.parametrize("patient", [False, True])
async def test_picture_cancelled_before_its_turn_is_forgotten(
    pipeline: LanePipeline, server: LastingServer, counts: Counts, patient: bool
) -> None:
    answers = await fill(pipeline)
    gone = pipeline.submit_decoded([decoded()] * MAX_QUEUE, patient=patient)
    for answer in gone:
        answer.cancel()
    await until(lambda: pipeline.waiting == 0)
    answers.append(pipeline.submit(picture(BLUE)))
    server.go_on()

    assert [class_of(prediction) for prediction in await asyncio.gather(*answers)] == [0, 0, 1]
    assert counts.batches == [1, 1, 1]


async def test_picture_cancelled_after_its_turn_harms_no_other(
    pipeline: LanePipeline, stopped: LastingServer
) -> None:
    gone, stayed = await fill(pipeline)
    gone.cancel()
    stopped.go_on()

    assert class_of(await stayed) == 0


async def test_pictures_may_come_before_the_lanes_are_at_work(server: LastingServer) -> None:
    async with running(server, Counts()) as pipeline:
        answers = pipeline.submit_decoded([decoded()], patient=True)
        answers.append(pipeline.submit(picture(BLUE)))

        assert [class_of(await answer) for answer in answers] == [0, 1]


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


async def kill_twice(pipeline: LanePipeline, server: LastingServer) -> None:
    """Kill the first lane, and once what it had is given again, the one in its place."""
    first = server.numbers[0]
    os.kill(first, signal.SIGKILL)
    await given_again(pipeline, server, first)
    for number in server.numbers:
        os.kill(number, signal.SIGKILL)
    server.stops_lanes = False


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


def hours_later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return what puts the lanes' clock forward."""
    hours = 0

    def put_forward() -> None:
        nonlocal hours
        hours += 1

    monkeypatch.setattr("app.lanes.lane.monotonic", lambda: monotonic() + 3600 * hours)
    return put_forward


@pytest.fixture
def irreplaceable(
    server: LastingServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[pytest.MonkeyPatch]:
    """The server, whose lanes cannot be replaced until what is returned is undone."""

    def fail(_: int) -> str:
        raise StartupError("There are no processes.")

    with monkeypatch.context() as patched:
        patched.setattr("app.lanes.pipeline._REST_SECONDS", 0.01)
        patched.setattr(server, "replace", fail)
        yield patched


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


async def test_pictures_are_accepted_while_the_only_lane_is_replaced(
    counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, free = FakeEngine(), threading.Event()
    server = ThreadServer([engine])
    replace = server.replace
    monkeypatch.setattr(server, "replace", lambda place: free.wait() and replace(place))
    async with running(server, counts) as pipeline:
        engine.faults = [SystemExit()]
        answers = pipeline.submit_decoded([image(10)])
        await until(lambda: bool(counts.faults))
        try:
            answers += pipeline.submit_decoded([image(20)])
        finally:
            free.set()

        assert [red_of(await answer) for answer in answers] == [10, 20]


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
