from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from tests.app.client import post
from tests.app.conftest import Load, serving
from tests.app.fake_engine import FakeEngine
from tests.app.figures import figure, figures
from tests.app.pictures import BLUE, RED, picture

pytestmark = pytest.mark.anyio


async def test_predictions_are_counted_by_label(fake_client: httpx.AsyncClient) -> None:
    for color in (RED, BLUE, BLUE):
        await post(fake_client, picture(color))

    text = await figures(fake_client)
    assert figure(text, "alexnet_predictions_total", label="red") == 1
    assert figure(text, "alexnet_predictions_total", label="blue") == 2
    assert figure(text, "alexnet_batch_pictures_sum") == 3
    assert figure(text, "alexnet_batch_pictures_count") == 3


async def test_stages_add_up_to_what_clients_are_told(fake_client: httpx.AsyncClient) -> None:
    told = (await post(fake_client, picture(size=(900, 900)))).json()["timing_ms"]

    text = await figures(fake_client)
    for stage, milliseconds in told.items():
        assert figure(text, "alexnet_stage_seconds_count", stage=stage) == 1
        seconds = figure(text, "alexnet_stage_seconds_sum", stage=stage)
        assert seconds * 1e3 == pytest.approx(milliseconds, abs=0.051)


async def test_what_waits_and_what_is_refused(
    settings: Settings, fake_load: Load, fake_engine: FakeEngine
) -> None:
    narrow = settings.model_copy(update={"max_queue": 1, "threads": 1})
    async with serving(create_app(narrow, fake_load)) as client:
        fake_engine.free.clear()
        accepted = [asyncio.create_task(post(client, picture()))]
        await asyncio.to_thread(fake_engine.entered.wait)
        accepted.append(asyncio.create_task(post(client, picture())))
        while not figure(text := await figures(client), "alexnet_waiting_pictures"):
            await asyncio.sleep(0.01)
        await post(client, picture())
        fake_engine.free.set()
        await asyncio.gather(*accepted)

        assert figure(text, "alexnet_waiting_pictures") == 1
        assert figure(text, "alexnet_ready_processes") == 1
        assert figure(text, "alexnet_process_starts_total") == 1
        text = await figures(client)
        assert figure(text, "alexnet_waiting_pictures") == 0
        assert (
            figure(
                text,
                "alexnet_requests_total",
                route="/predict",
                status="503",
                problem="overloaded",
            )
            == 1
        )


async def test_withdrawn_and_failed_pictures_are_no_predictions(
    fake_client: httpx.AsyncClient, fake_engine: FakeEngine
) -> None:
    fake_engine.faults.append(ValueError("no memory"))
    await post(fake_client, picture())
    await post(fake_client, picture()[:-300])

    text = await figures(fake_client)
    assert figure(text, "alexnet_predictions_total") == 0
    assert figure(text, "alexnet_stage_seconds_count") == 0
    assert figure(text, "alexnet_requests_total", problem="inference-failed") == 1
    assert figure(text, "alexnet_faults_total", stage="inference") == 1


async def memory_told(client: httpx.AsyncClient) -> float:
    """Return the memory, once it has been looked at."""
    for _ in range(6000):
        if memory := figure(await figures(client), "alexnet_memory_bytes"):
            return memory
        await asyncio.sleep(0.01)
    raise AssertionError("it is never looked at")


async def test_model_and_memory(fake_client: httpx.AsyncClient) -> None:
    text = await figures(fake_client)

    model = {"name": "red-or-blue", "version": "1.2.3", "engine": "Fake", "device": "cpu"}
    assert figure(text, "alexnet_model_info", **model) == 1
    if sys.platform == "linux":
        assert figure(text, "process_resident_memory_bytes") > 10 * 2**20
        assert await memory_told(fake_client) > 10 * 2**20


async def test_memory_is_told_again_once_there_is_a_thread_to_look_at_it(
    settings: Settings, fake_load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = [RuntimeError("can't start new thread")]

    async def to_thread(_: Callable[[], int]) -> int:
        if faults:
            raise faults.pop()
        return 7

    monkeypatch.setattr("app.metrics._WEIGHING_SECONDS", 0.01)
    monkeypatch.setattr("app.metrics.asyncio.to_thread", to_thread)
    async with serving(create_app(settings, fake_load)) as client:
        memory = await memory_told(client)
        monkeypatch.undo()

    assert memory == 7


async def test_applications_of_one_process_count_for_themselves(
    settings: Settings, fake_load: Load
) -> None:
    async with (
        serving(create_app(settings, fake_load)) as first,
        serving(create_app(settings, fake_load)) as second,
    ):
        await post(first, picture())

        assert figure(await figures(first), "alexnet_batch_pictures_count") == 1
        assert figure(await figures(second), "alexnet_batch_pictures_count") == 0
