from __future__ import annotations

import asyncio
import gzip
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.errors import OverloadedError
from app.main import create_app
from app.middleware import PICTURE_PATHS
from app.settings import Settings
from tests.app.client import assert_problem, post, posted_picture
from tests.app.conftest import Load, serving
from tests.app.fake_engine import FakeEngine
from tests.app.pictures import picture
from tests.app.v2.requests import INFER, assert_error, image_request

pytestmark = pytest.mark.anyio


async def status_of_unread_upload(app: FastAPI, path: str) -> int:
    """Post a picture whose body must not be asked for, and return the answer's status."""
    started: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        raise AssertionError("the body was read")

    async def send(message: dict[str, Any]) -> None:
        started.append(message)

    await app(posted_picture() | {"path": path}, receive, send)
    return started[0]["status"]


async def until_full(app: FastAPI) -> None:
    for _ in range(6000):
        try:
            app.state.service.check_room()
        except OverloadedError:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the service has room left")


async def test_full_service_refuses_before_the_body_is_read(
    settings: Settings, fake_load: Load, fake_engine: FakeEngine
) -> None:
    narrow = settings.model_copy(update={"max_queue": 1, "threads": 1})
    app = create_app(narrow, fake_load)
    async with serving(app) as client:
        fake_engine.free.clear()
        accepted = [asyncio.create_task(post(client, picture()))]
        await asyncio.to_thread(fake_engine.entered.wait)
        accepted.append(asyncio.create_task(post(client, picture())))
        await until_full(app)

        for path in ("/predict", "/predict/batch", "/explain", INFER):
            assert await status_of_unread_upload(app, path) == 503
        refused = await client.post(INFER, json=image_request(picture()))
        assert_error(refused, 503, "Too many pictures are waiting")
        assert refused.headers["retry-after"] == "1"
        refused = await post(client, picture())
        assert_problem(refused, 503, "Overloaded")
        assert refused.headers["retry-after"] == "1"
        assert (await client.get("/health/ready")).status_code == 200

        fake_engine.free.set()
        assert [(await each).status_code for each in accepted] == [200, 200]
        assert (await post(client, picture())).status_code == 200


async def test_all_that_takes_pictures_is_guarded(fake_client: httpx.AsyncClient) -> None:
    paths = (await fake_client.get("/openapi.json")).json()["paths"]

    assert {path for path, methods in paths.items() if "post" in methods} == set(PICTURE_PATHS)


async def test_bodies_are_held_as_long_as_there_is_room(
    settings: Settings, fake_load: Load
) -> None:
    narrow = settings.model_copy(update={"max_held_bytes": 60_000, "max_batch_bytes": 60_000})
    app = create_app(narrow, fake_load)
    read, finish = asyncio.Event(), asyncio.Event()
    chunks = [bytes(20_000), bytes(20_000)]

    async def receive() -> dict[str, Any]:
        if chunks:
            return {"type": "http.request", "body": chunks.pop(), "more_body": True}
        read.set()
        await finish.wait()
        return {"type": "http.disconnect"}

    async def send(_: object) -> None:
        pass

    async with serving(app) as client:
        large = {"content": bytes(30_000), "headers": {"content-type": "image/jpeg"}}
        slow = asyncio.create_task(app(posted_picture(), receive, send))
        await read.wait()
        refused = await client.post("/predict", **large)
        assert_problem(refused, 503, "Overloaded")
        assert refused.headers["retry-after"] == "1"
        assert (await post(client, picture())).status_code == 200

        finish.set()
        await slow
        assert_problem(await client.post("/predict", **large), 415, "Unsupported image")


async def test_inflated_bodies_are_held_too(settings: Settings, fake_load: Load) -> None:
    narrow = settings.model_copy(update={"max_held_bytes": 30_000})
    bomb = gzip.compress(bytes(40_000))
    async with serving(create_app(narrow, fake_load)) as client:
        refused = await client.post(INFER, content=bomb, headers={"content-encoding": "gzip"})
        assert_error(refused, 503, "Too much is being sent")

        answered = await client.post(INFER, json=image_request(picture()))
        assert answered.status_code == 200, "nothing is held any more"


async def test_nothing_is_read_where_no_room_is_left(settings: Settings, fake_load: Load) -> None:
    narrow = settings.model_copy(update={"max_held_bytes": 0})
    app = create_app(narrow, fake_load)
    async with serving(app):
        assert await status_of_unread_upload(app, "/predict") == 503
