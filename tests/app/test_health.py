from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import httpx
import numpy as np
import pytest

from app.errors import NotLiveError
from app.health import FAILURES, HUNG_SECONDS, Health, WatchedEngine, Work
from app.images import DecodedImage
from app.main import create_app
from app.settings import Settings
from tests.app.client import assert_problem, post
from tests.app.conftest import Load, serving
from tests.app.fake_engine import FakeEngine
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


class FakePipeline:
    healthy = True
    waiting = 0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("app.health.monotonic", clock)
    return clock


@pytest.fixture
def unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing looks at the service but the test."""
    monkeypatch.setattr("app.health._LOOK_SECONDS", 3600)


async def statuses(client: httpx.AsyncClient, paths: list[str]) -> set[int]:
    return {(await client.get(path)).status_code for path in paths}


async def until(client: httpx.AsyncClient, path: str, status: int) -> None:
    for _ in range(6000):
        if (await client.get(path)).status_code == status:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{path} does not become {status}")


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
    await until(fake_client, "/health/live", 200)


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


@pytest.mark.usefixtures("unseen")
def test_queue_that_does_not_move_is_a_hung_service(clock: Clock) -> None:
    pipeline, work = FakePipeline(), Work()
    health = Health(pipeline, [], work)
    pipeline.waiting = 1
    finish = work.watched(int)

    for _ in range(3):
        finish()
        clock.now += 3600 + HUNG_SECONDS
        health._look()
        health.check_live()
    clock.now += 3600 + HUNG_SECONDS
    health._look()
    with pytest.raises(NotLiveError, match=r"Nothing has moved .* for 60 s; restart it"):
        health.check_live()

    pipeline.waiting = 0
    health._look()
    health.check_live()
    health.end()


async def test_ended_thread_leaves_only_a_restart(
    fake_client: httpx.AsyncClient, fake_engine: FakeEngine
) -> None:
    fake_engine.faults = [SystemExit()]
    await post(fake_client, picture())

    assert await statuses(fake_client, [*LIVE_PATHS, *READY_PATHS]) == {503}


async def test_service_that_drains_is_live_and_answers_but_is_not_ready(
    settings: Settings, fake_load: Load
) -> None:
    app = create_app(settings, fake_load)
    async with serving(app) as client:
        assert await statuses(client, READY_PATHS) == {200}
        app.state.service.drain()

        assert await statuses(client, READY_PATHS) == {503}
        assert_problem(await client.get("/health/ready"), 503, "Not ready")
        assert await statuses(client, LIVE_PATHS) == {200}
        assert (await post(client, picture())).status_code == 200

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://testserver"
    ) as client:
        assert await statuses(client, READY_PATHS) == {503}
        assert await statuses(client, LIVE_PATHS) == {200}


async def test_engine_that_fails_is_not_ready_until_it_answers_the_service_itself(
    fake_client: httpx.AsyncClient, fake_engine: FakeEngine
) -> None:
    fake_engine.faults = [ArithmeticError("of the engine")] * 10_000
    for _ in range(FAILURES - 1):
        assert (await post(fake_client, picture())).status_code == 500
    assert await statuses(fake_client, READY_PATHS) == {200}

    assert (await post(fake_client, picture())).status_code == 500
    assert await statuses(fake_client, READY_PATHS) == {503}
    assert await statuses(fake_client, LIVE_PATHS) == {200}
    assert "log says why" in (await fake_client.get("/health/ready")).json()["detail"]

    fake_engine.faults.clear()
    await until(fake_client, "/health/ready", 200)


@pytest.mark.usefixtures("unseen")
async def test_engine_that_fails_is_tried_with_pictures_that_come_all_the_same(
    fake_client: httpx.AsyncClient, fake_engine: FakeEngine
) -> None:
    fake_engine.faults = [ArithmeticError("of the engine")] * FAILURES
    for _ in range(FAILURES):
        await post(fake_client, picture())
    assert await statuses(fake_client, READY_PATHS) == {503}

    assert (await post(fake_client, picture())).status_code == 200
    assert await statuses(fake_client, READY_PATHS) == {200}


@pytest.fixture
def held(fake_engine: FakeEngine) -> Iterator[WatchedEngine]:
    """An engine at work in another thread."""
    engine = WatchedEngine(fake_engine, Work(), SAMPLE)
    fake_engine.free.clear()
    thread = threading.Thread(target=engine.predict, args=(SAMPLE,))
    thread.start()
    fake_engine.entered.wait()
    yield engine
    fake_engine.free.set()
    thread.join()


def test_engine_at_work_is_not_tried(held: WatchedEngine, fake_engine: FakeEngine) -> None:
    held.try_again()

    assert fake_engine.batch_sizes == [1]


def test_longest_work_counts(clock: Clock) -> None:
    work = Work()
    seen: list[float] = []

    def inner() -> None:
        clock.now += 5
        seen.append(work.longest_seconds())

    assert work.longest_seconds() == 0
    work.watched(inner)()
    assert seen == [5]
    assert work.longest_seconds() == 0
    assert work.finished == 1
