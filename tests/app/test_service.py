from __future__ import annotations

import asyncio
import threading

import httpx
import pytest

from app.engines.engine import Answers, Pictures
from app.main import create_app
from app.settings import Settings
from tests.app.client import assert_problem, post
from tests.app.conftest import Load, serving
from tests.app.fake_engine import FakeEngine
from tests.app.pictures import BLUE, RED, picture
from tests.app.test_metrics import figure

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


async def test_decoder_that_raises_fails_one_picture_and_is_counted(
    fake_client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("app.service.decode_image", lambda *_: bytes(2**62))
        assert_problem(await post(fake_client, picture()), 500, "Decoding failed")
    assert (await post(fake_client, picture())).status_code == 200

    text = (await fake_client.get("/metrics")).text
    assert figure(text, "alexnet_faults_total", stage="decode") == 1
    assert figure(text, "alexnet_requests_total", problem="decoding-failed") == 1


async def test_engine_that_fails_is_not_ready_until_it_answers(
    fake_client: httpx.AsyncClient, fake_engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.fitness._REST_SECONDS", 0)
    broken = threading.Event()
    predict = fake_engine.predict

    def predict_unless_broken(pictures: Pictures) -> Answers:
        if broken.is_set():
            raise MemoryError
        return predict(pictures)

    monkeypatch.setattr(fake_engine, "predict", predict_unless_broken)
    broken.set()
    assert_problem(await post(fake_client, picture()), 500, "Inference failed")
    while (response := await fake_client.get("/health/ready")).status_code == 200:
        await asyncio.sleep(0.01)
    assert_problem(response, 503, "Not ready")
    assert_problem(await post(fake_client, picture()), 503, "Not ready")
    assert (await fake_client.get("/health/live")).status_code == 200

    broken.clear()
    while (await fake_client.get("/health/ready")).status_code == 503:
        await asyncio.sleep(0.01)
    assert (await post(fake_client, picture())).status_code == 200
    text = (await fake_client.get("/metrics")).text
    assert figure(text, "alexnet_faults_total", stage="inference") == 1


async def test_hanging_engine_is_left_behind(
    settings: Settings,
    fake_load: Load,
    fake_engine: FakeEngine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("app.service._CLOSING_SECONDS", 0.01)
    fake_engine.free.clear()
    async with serving(create_app(settings, fake_load)) as client:
        waiting = asyncio.create_task(post(client, picture()))
        await asyncio.to_thread(fake_engine.entered.wait)
        waiting.cancel()

    assert "left behind" in caplog.text
    fake_engine.free.set()


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
