from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.job import Prediction
from app.main import create_app
from app.settings import Settings
from tests.app.client import (
    assert_problem,
    assert_problem_object,
    leave_while_waiting,
    post,
    post_batch,
)
from tests.app.conftest import Load, serving
from tests.app.fake_engine import FakeEngine
from tests.app.pictures import BLUE, RED, picture
from tests.app.pipelines import decoded, entered

pytestmark = pytest.mark.anyio

SMALL = {"max_batch_files": 40, "max_batch_bytes": 100_000}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update=SMALL)


def labels(response: httpx.Response) -> list[str | None]:
    predictions = [result["prediction"] for result in response.json()["results"]]
    return [prediction and prediction["label"] for prediction in predictions]


async def test_files_are_answered_in_order(client: httpx.AsyncClient) -> None:
    response = await post_batch(client, *(picture(RED), picture(BLUE)) * 20)

    assert response.status_code == 200
    assert labels(response) == ["red", "blue"] * 20
    results = response.json()["results"]
    assert [result["filename"] for result in results] == [f"{number}.jpg" for number in range(40)]
    assert all(result["problem"] is None for result in results)


async def test_answer_is_that_of_a_single_picture(client: httpx.AsyncClient) -> None:
    (result,) = (await post_batch(client, picture())).json()["results"]

    alone = (await post(client, picture())).json()
    assert alone.pop("timing_ms").keys() == result["prediction"].pop("timing_ms").keys()
    assert result["prediction"] == alone


async def test_bad_files_get_problems_of_their_own(client: httpx.AsyncClient) -> None:
    broken = picture(size=(300, 300))[:-300]
    uploads = (picture(), broken, b"", b"in words", bytes(50_001), picture(BLUE))
    response = await post_batch(client, *uploads)

    assert response.status_code == 200
    assert labels(response) == ["red", None, None, None, None, "blue"]
    problems = [result["problem"] for result in response.json()["results"]]
    assert problems[0] is problems[5] is None
    assert_problem_object(problems[1], 400, "Broken image")
    assert_problem_object(problems[2], 400, "Empty file")
    assert_problem_object(problems[3], 415, "Unsupported image")
    assert_problem_object(problems[4], 413, "File too large")


async def test_fault_of_the_engine_fails_its_files_alone(
    fake_client: httpx.AsyncClient, fake_engine: FakeEngine
) -> None:
    fake_engine.faults = [ArithmeticError("of the engine")]

    (result,) = (await post_batch(fake_client, picture())).json()["results"]

    assert_problem_object(result["problem"], 500, "Inference failed")


async def test_engine_that_fails_is_not_ready(
    fake_client: httpx.AsyncClient, fake_engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.fitness._REST_SECONDS", 3600)
    fake_engine.faults = [MemoryError(), MemoryError()]

    (result,) = (await post_batch(fake_client, picture())).json()["results"]

    assert_problem_object(result["problem"], 500, "Inference failed")
    while (await fake_client.get("/health/ready")).status_code == 200:
        await asyncio.sleep(0.01)
    assert_problem(await post_batch(fake_client, picture()), 503, "Not ready")


async def test_queue_shorter_than_the_request_is_enough(
    settings: Settings, fake_load: Load
) -> None:
    short = settings.model_copy(update={"max_queue": 1})
    async with serving(create_app(short, fake_load)) as client:
        response = await post_batch(client, *(picture(RED), picture(BLUE)) * 15)

    assert labels(response) == ["red", "blue"] * 15


async def test_queue_without_room_for_the_first_file_is_overloaded(
    settings: Settings, fake_load: Load, fake_engine: FakeEngine
) -> None:
    short = settings.model_copy(update={"max_queue": 1, "threads": 1})
    app = create_app(short, fake_load)
    form = httpx.Request("POST", "/", files=[("files", ("a.jpg", picture()))])
    accepted: list[asyncio.Future[Prediction]] = []

    async def body_that_comes_when_the_queue_is_full() -> AsyncIterator[bytes]:
        accepted.append(app.state.service.classify(picture()))
        await asyncio.to_thread(fake_engine.entered.wait)
        accepted.append(app.state.service.classify(picture()))
        yield form.read()

    async with serving(app) as client:
        fake_engine.free.clear()
        response = await client.post(
            "/predict/batch",
            content=body_that_comes_when_the_queue_is_full(),
            headers={"content-type": form.headers["content-type"]},
        )
        fake_engine.free.set()
        await asyncio.gather(*accepted)

    assert_problem(response, 503, "Overloaded")
    assert response.headers["retry-after"] == "1"


async def test_few_files_wait_at_once(
    settings: Settings, fake_load: Load, fake_engine: FakeEngine
) -> None:
    room_for_it = settings.model_copy(update={"max_queue": 20})
    app = create_app(room_for_it, fake_load)
    async with serving(app) as client:
        fake_engine.free.clear()
        batch = asyncio.create_task(post_batch(client, *[picture()] * 40))
        await entered(fake_engine.entered)
        (held,) = fake_engine.batch_sizes
        await decoded(app.state.service._pipeline, 16 - held)
        others = [asyncio.create_task(post(client, picture(BLUE))) for _ in range(4)]
        await decoded(app.state.service._pipeline, 16 - held + 4)
        fake_engine.free.set()

        assert [(await each).status_code for each in others] == [200] * 4
        assert labels(await batch) == ["red"] * 40


async def test_too_many_files_are_refused(client: httpx.AsyncClient) -> None:
    response = await post_batch(client, *[picture()] * 41)

    assert_problem(response, 413, "Batch too large")
    assert "at most 40 a request" in response.json()["detail"]


async def test_too_many_bytes_are_refused(client: httpx.AsyncClient) -> None:
    response = await post_batch(client, *[bytes(40_000)] * 3)

    assert_problem(response, 413, "Batch too large")
    assert "at most 100000 bytes" in response.json()["detail"]


async def test_missing_field_is_refused(client: httpx.AsyncClient) -> None:
    assert_problem(await post_batch(client, picture(), field="file"), 422, "Missing file")


@pytest.mark.parametrize(
    ("request_body", "status", "title"),
    [
        ({"content": picture(), "headers": {"content-type": "image/jpeg"}}, 415, "Unsupported"),
        ({"json": {}}, 415, "Unsupported"),
        ({"data": {"files": "photo.jpg"}}, 422, "Missing file"),
        ({}, 422, "Missing file"),
    ],
)
async def test_what_is_no_form_of_files_is_refused(
    client: httpx.AsyncClient, request_body: dict[str, Any], status: int, title: str
) -> None:
    response = await client.post("/predict/batch", **request_body)

    assert response.json()["title"].startswith(title)
    assert_problem(response, status, response.json()["title"])
    assert "as a field 'files' of multipart/form-data" in response.json()["detail"]


async def test_refused_request_withdraws_its_files(
    settings: Settings, fake_load: Load, fake_engine: FakeEngine
) -> None:
    strict = settings.model_copy(update={"max_batch_files": 3})
    async with serving(create_app(strict, fake_load)) as client:
        fake_engine.free.clear()
        predicted = asyncio.create_task(post(client, picture()))
        await asyncio.to_thread(fake_engine.entered.wait)
        assert_problem(await post_batch(client, *[picture()] * 4), 413, "Batch too large")

        fake_engine.free.set()
        assert (await predicted).status_code == 200
    assert fake_engine.batch_sizes == [1]


async def test_client_that_left_is_not_answered(
    settings: Settings, fake_load: Load, fake_engine: FakeEngine
) -> None:
    app = create_app(settings, fake_load)
    form = httpx.Request("POST", "/", files=[("files", ("a.jpg", picture()))] * 3)
    async with serving(app) as client:
        fake_engine.free.clear()
        predicted = asyncio.create_task(post(client, picture()))
        await asyncio.to_thread(fake_engine.entered.wait)
        await leave_while_waiting(app, form.read(), "/predict/batch", form.headers["content-type"])

        fake_engine.free.set()
        assert (await predicted).status_code == 200
        assert (await post(client, picture())).status_code == 200
    assert fake_engine.batch_sizes == [1, 1]


async def test_openapi_lets_several_files_be_picked(fake_client: httpx.AsyncClient) -> None:
    document = (await fake_client.get("/openapi.json")).json()

    content = document["paths"]["/predict/batch"]["post"]["requestBody"]["content"]
    files = content["multipart/form-data"]["schema"]["properties"]["files"]
    assert files["type"] == "array"
    assert files["items"]["format"] == "binary"
