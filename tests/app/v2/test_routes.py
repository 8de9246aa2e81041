from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app import __version__
from app.main import create_app
from app.settings import Settings
from tests.app.client import post
from tests.app.conftest import Load, serving
from tests.app.fake_engine import FakeEngine
from tests.app.pictures import BLUE, RED, picture
from tests.app.pipelines import decoded, entered
from tests.app.v2.requests import INFER, assert_error, image_request, outputs

pytestmark = pytest.mark.anyio


async def test_server_tells_its_version_and_extension(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v2")).json() == {
        "name": "alexnet",
        "version": __version__,
        "extensions": ["binary_tensor_data"],
    }


async def test_live_and_ready(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v2/health/live")).json() == {"live": True}
    assert (await client.get("/v2/health/ready")).json() == {"ready": True}


@pytest.mark.parametrize("version", ["", "/versions/1.2.3"])
async def test_version_may_be_named(client: httpx.AsyncClient, version: str) -> None:
    model = f"/v2/models/red-or-blue{version}"

    assert (await client.get(model)).json()["versions"] == ["1.2.3"]
    ready = (await client.get(f"{model}/ready")).json()
    assert ready == {"name": "red-or-blue", "ready": True}
    response = await client.post(f"{model}/infer", json=image_request(picture(BLUE)))
    assert outputs(response)["labels"] == ["blue"]


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("cats", "no model 'cats'; ask for red-or-blue"),
        ("%FF%00", "no model"),
        ("red-or-blue/versions/2", "no version '2' of the model; ask for 1.2.3"),
    ],
)
async def test_other_models_and_versions_are_not_found(
    client: httpx.AsyncClient, model: str, says: str
) -> None:
    assert_error(await client.get(f"/v2/models/{model}"), 404, says)
    assert_error(await client.get(f"/v2/models/{model}/ready"), 404, says)
    response = await client.post(f"/v2/models/{model}/infer", json=image_request(picture()))
    assert_error(response, 404, says)


@pytest.mark.parametrize(
    ("data", "status", "says"),
    [
        (b"", 415, "is not an image"),
        (b"a cat, in words", 415, "is not an image"),
        (picture(size=(300, 300))[:-300], 400, "truncated or damaged"),
        (picture(size=(1001, 1000), file_format="PNG"), 413, "at most 1000000 pixels"),
    ],
    ids=["empty", "text", "truncated", "huge"],
)
async def test_picture_that_cannot_be_read_is_named(
    client: httpx.AsyncClient, data: bytes, status: int, says: str
) -> None:
    request = image_request(picture(), data, picture())

    response = await client.post(INFER, json=request)

    assert_error(response, status, says)
    assert response.json()["error"].startswith("Picture 1 of the tensor: ")
    assert (await client.post(INFER, json=image_request(picture()))).status_code == 200


@pytest.mark.parametrize("header_length", ["-1", "x", "1.5", "9" * 5000])
async def test_header_length_is_a_number(
    fake_client: httpx.AsyncClient, header_length: str
) -> None:
    headers = {"Inference-Header-Content-Length": header_length}

    response = await fake_client.post(INFER, content=b"{}", headers=headers)

    assert_error(response, 422, "Inference-Header-Content-Length")


async def test_limits_are_those_of_the_settings(fake_client: httpx.AsyncClient) -> None:
    assert_error(
        await fake_client.post(INFER, json=image_request(bytes(50_000))), 413, "at most 50000 bytes"
    )
    assert_error(
        await fake_client.post(INFER, json=image_request(*[b""] * 257)), 413, "at most 256"
    )


async def test_pictures_are_inferred_together(
    settings: Settings, fake_load: Load, fake_engine: FakeEngine
) -> None:
    app = create_app(settings, fake_load)
    files = [picture(RED if number % 2 else BLUE) for number in range(8)]
    async with serving(app) as client:
        fake_engine.free.clear()
        predicted = asyncio.create_task(post(client, picture()))
        await entered(fake_engine.entered)
        inferred = asyncio.create_task(client.post(INFER, json=image_request(*files)))
        await decoded(app.state.service._pipeline, len(files))
        fake_engine.free.set()
        await predicted

        assert outputs(await inferred)["labels"] == ["blue", "red"] * 4
    assert fake_engine.batch_sizes == [1, 8]


async def test_request_that_does_not_fit_is_refused_whole(
    settings: Settings, fake_load: Load, fake_engine: FakeEngine
) -> None:
    app = create_app(settings.model_copy(update={"max_queue": 2}), fake_load)
    async with serving(app) as client:
        fake_engine.free.clear()
        predicted = asyncio.create_task(post(client, picture()))
        await asyncio.to_thread(fake_engine.entered.wait)
        waiting = asyncio.create_task(post(client, picture()))
        while not app.state.service._pipeline.waiting:
            await asyncio.sleep(0.01)

        refused = await client.post(INFER, json=image_request(picture(), picture()))
        assert_error(refused, 503, "Too many pictures are waiting")
        assert refused.headers["retry-after"] == "1"

        fake_engine.free.set()
        assert [(await each).status_code for each in (predicted, waiting)] == [200, 200]
    assert sum(fake_engine.batch_sizes) == 2


async def test_pictures_of_a_client_that_left_are_skipped(
    settings: Settings, fake_load: Load, fake_engine: FakeEngine
) -> None:
    body = json.dumps(image_request(picture(), picture())).encode()
    messages = [{"type": "http.request", "body": body}]

    async def receive() -> dict[str, Any]:
        return messages.pop() if messages else {"type": "http.disconnect"}

    app = create_app(settings, fake_load)
    async with serving(app) as client:
        fake_engine.free.clear()
        predicted = asyncio.create_task(post(client, picture()))
        await asyncio.to_thread(fake_engine.entered.wait)
        await status_of(app, receive)

        fake_engine.free.set()
        assert (await predicted).status_code == 200
        assert (await post(client, picture())).status_code == 200
    assert fake_engine.batch_sizes == [1, 1]


async def status_of(app: FastAPI, receive: Any) -> int:
    """Ask the app for an inference, and return the status of its answer."""
    started: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        started.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": INFER,
        "query_string": b"",
        "headers": [],
    }
    await app(scope, receive, send)
    return started[0]["status"]
