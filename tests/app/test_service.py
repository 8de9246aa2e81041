from __future__ import annotations

import asyncio

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from tests.app.client import assert_problem, post
from tests.app.conftest import Load, serving
from tests.app.fake_engine import FakeEngine
from tests.app.pictures import BLUE, RED, picture

pytestmark = pytest.mark.anyio


async def test_one_bad_picture_fails_alone(client: httpx.AsyncClient) -> None:
    uploads = [picture(RED if number % 2 else BLUE) for number in range(20)]
    uploads[7] = picture(size=(300, 300))[:-300]

    responses = await asyncio.gather(*(post(client, upload) for upload in uploads))

    assert_problem(responses.pop(7), 400, "Broken image")
    labels = ["red" if number % 2 else "blue" for number in range(20) if number != 7]
    assert [response.json()["label"] for response in responses] == labels


async def test_every_concurrent_upload_gets_its_own_answer(client: httpx.AsyncClient) -> None:
    reds = range(0, 250, 5)

    responses = await asyncio.gather(
        *(post(client, picture((red, 0, 250 - red), file_format="PNG")) for red in reds)
    )

    scores = [
        next(each["score"] for each in response.json()["predictions"] if each["label"] == "red")
        for response in responses
    ]
    assert scores == sorted(scores)
    assert len(set(scores)) == len(scores)


async def test_engine_that_raises_fails_one_batch(
    fake_client: httpx.AsyncClient, fake_engine: FakeEngine
) -> None:
    fake_engine.faults = [ArithmeticError("of the engine")]

    assert_problem(await post(fake_client, picture()), 500, "Inference failed")
    assert (await post(fake_client, picture())).status_code == 200


async def test_end_of_the_inference_thread_is_not_ready(
    fake_client: httpx.AsyncClient, fake_engine: FakeEngine
) -> None:
    fake_engine.faults = [SystemExit()]

    assert_problem(await post(fake_client, picture()), 503, "Not ready")
    assert_problem(await post(fake_client, picture()), 503, "Not ready")
    assert_problem(await fake_client.get("/health/ready"), 503, "Not ready")
    assert (await fake_client.get("/health/live")).status_code == 200


async def test_full_queue_is_overloaded(
    settings: Settings, fake_load: Load, fake_engine: FakeEngine
) -> None:
    narrow = settings.model_copy(update={"max_queue": 1, "max_batch": 1})
    async with serving(create_app(narrow, fake_load)) as client:
        fake_engine.free.clear()
        predicted = asyncio.create_task(post(client, picture()))
        await asyncio.to_thread(fake_engine.entered.wait)
        others = [asyncio.create_task(post(client, picture())) for _ in range(2)]
        (refused,), waiting = await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)

        assert_problem(refused.result(), 503, "Overloaded")
        assert refused.result().headers["retry-after"] == "1"

        fake_engine.free.set()
        assert [(await each).status_code for each in (predicted, *waiting)] == [200, 200]
