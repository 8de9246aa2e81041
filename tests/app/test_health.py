from __future__ import annotations

import asyncio
import threading

import httpx
import numpy as np
import pytest

from app.health import HUNG_SECONDS, Work
from app.images import DecodedImage
from app.main import create_app
from app.settings import Settings
from tests.app.client import assert_problem, post
from tests.app.conftest import Load, serving
from tests.app.fake_engine import FakeEngine
from tests.app.figures import figure, figures
from tests.app.pictures import picture

pytestmark = pytest.mark.anyio

SAMPLE = np.zeros((1, 8, 8, 3), np.uint8)
READY_PATHS = ["/health/ready", "/v2/health/ready", "/v2/models/red-or-blue/ready"]
LIVE_PATHS = ["/health/live", "/v2/health/live"]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("app.health.monotonic", clock)
    return clock


async def statuses(client: httpx.AsyncClient, paths: list[str]) -> set[int]:
    return {(await client.get(path)).status_code for path in paths}


async def test_batch_that_does_not_end_is_a_hung_service(
    fake_client: httpx.AsyncClient, fake_engine: FakeEngine, clock: Clock
) -> None:
    fake_engine.free.clear()
    answer = asyncio.create_task(post(fake_client, picture()))
    await asyncio.to_thread(fake_engine.entered.wait)
    clock.now += HUNG_SECONDS - 1
    assert await statuses(fake_client, LIVE_PATHS) == {200}

    clock.now += 2
    assert await statuses(fake_client, LIVE_PATHS) == {503}
    assert_problem(await fake_client.get("/health/live"), 503, "Not live")

    fake_engine.free.set()
    assert (await answer).status_code == 200
    assert await statuses(fake_client, LIVE_PATHS) == {200}


async def test_picture_whose_decoding_does_not_end_is_a_hung_service(
    settings: Settings, fake_load: Load, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, free = threading.Event(), threading.Event()

    def decode(*_: object) -> DecodedImage:
        entered.set()
        free.wait()
        return DecodedImage(SAMPLE[0], 8, 8, "FAKE")

    monkeypatch.setattr("app.service.decode_image", decode)
    async with serving(create_app(settings, fake_load)) as client:
        answer = asyncio.create_task(post(client, picture()))
        await asyncio.to_thread(entered.wait)
        clock.now += HUNG_SECONDS
        assert_problem(await client.get("/health/live"), 503, "Not live")

        free.set()
        await answer


@pytest.mark.parametrize("setting", ["answer_seconds", "max_decode_seconds"])
async def test_what_the_settings_allow_is_no_hang(
    settings: Settings, fake_load: Load, fake_engine: FakeEngine, clock: Clock, setting: str
) -> None:
    patient = settings.model_copy(update={setting: HUNG_SECONDS})
    async with serving(create_app(patient, fake_load)) as client:
        fake_engine.free.clear()
        answer = asyncio.create_task(post(client, picture()))
        await asyncio.to_thread(fake_engine.entered.wait)
        clock.now += 2 * HUNG_SECONDS - 1
        assert await statuses(client, LIVE_PATHS) == {200}

        clock.now += 2
        assert await statuses(client, LIVE_PATHS) == {503}
        fake_engine.free.set()
        assert (await answer).status_code == 200


async def test_service_that_drains_is_live_but_not_ready(
    settings: Settings, fake_load: Load
) -> None:
    app = create_app(settings, fake_load)
    async with serving(app) as client:
        assert await statuses(client, READY_PATHS) == {200}
        app.state.service.drain()

        assert await statuses(client, READY_PATHS) == {503}
        assert await statuses(client, LIVE_PATHS) == {200}
        assert figure(await figures(client), "alexnet_ready_processes") == 0


async def test_service_whose_engine_fails_is_live_but_not_ready(
    fake_client: httpx.AsyncClient, fake_engine: FakeEngine
) -> None:
    fake_engine.faults = [ArithmeticError("of the engine")] * 10_000
    await post(fake_client, picture())
    while (await fake_client.get("/health/ready")).status_code == 200:
        await asyncio.sleep(0.01)

    assert await statuses(fake_client, READY_PATHS) == {503}
    assert await statuses(fake_client, LIVE_PATHS) == {200}


def test_longest_work_counts(clock: Clock) -> None:
    work = Work()
    seen: list[float] = []

    def inner() -> None:
        clock.now += 5
        seen.append(work.stalled_seconds(waiting=0))

    assert work.stalled_seconds(waiting=0) == 0
    work.watched(inner)()
    assert seen == [5]
    assert work.stalled_seconds(waiting=0) == 0


def test_queue_that_does_not_move_counts(clock: Clock) -> None:
    work = Work()
    finish = work.watched(int)
    assert work.stalled_seconds(waiting=0) == 0

    for _ in range(3):
        clock.now += 7
        assert work.stalled_seconds(waiting=1) == 7
        finish()
        assert work.stalled_seconds(waiting=1) == 0
    clock.now += 7
    assert work.stalled_seconds(waiting=0) == 0
