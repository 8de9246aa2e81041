from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.admission import BindService
from app.main import create_app
from app.settings import Settings
from tests.app.client import assert_problem, post, post_batch, posted_picture
from tests.app.conftest import Load, serving
from tests.app.fake_engine import FakeEngine
from tests.app.pictures import picture

pytestmark = pytest.mark.anyio


@pytest.fixture
def app(settings: Settings, fake_load: Load) -> FastAPI:
    return create_app(settings, fake_load)


async def test_draining_service_refuses(app: FastAPI) -> None:
    async with serving(app) as client:
        app.state.service.drain()
        uploads = [
            await post(client, picture()),
            await post_batch(client, picture()),
            await post(client, picture(), "/explain"),
        ]
        others = [await client.get("/models"), await client.get("/health/ready")]
        live = await client.get("/health/live")

    for response in uploads + others:
        assert_problem(response, 503, "Not ready")
        assert response.headers["retry-after"] == "1"
    assert live.status_code == 200
    assert {response.headers.get("connection") for response in uploads} == {None}
    assert {response.headers.get("connection") for response in [*others, live]} == {"close"}


@pytest.mark.parametrize("path", ["/predict", "/explain"])
async def test_what_was_accepted_before_is_answered(
    app: FastAPI, fake_engine: FakeEngine, path: str
) -> None:
    async with serving(app) as client:
        fake_engine.free.clear()
        accepted = asyncio.create_task(post(client, picture(), path))
        await asyncio.to_thread(fake_engine.entered.wait)
        service = app.state.service
        service.drain()
        free = asyncio.create_task(service.free())
        assert (await client.get("/health/ready")).status_code == 503
        assert not free.done()

        fake_engine.free.set()
        assert (await accepted).status_code == 200
        assert (await accepted).headers["connection"] == "close"
        await free


async def test_connections_are_kept_before(app: FastAPI) -> None:
    async with serving(app) as client:
        assert "connection" not in (await post(client, picture())).headers


class Inner:
    """An application that is cancelled while it answers."""

    def __init__(self, started: bool) -> None:
        self._started = started

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._started:
            await send({"type": "http.response.start", "status": 200})
        raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("draining", "started", "answers"),
    [(True, False, True), (True, True, False), (False, False, False)],
)
async def test_request_that_is_cancelled_at_the_end_is_refused(
    app: FastAPI, draining: bool, started: bool, answers: bool
) -> None:
    async with serving(app):
        app.state.service.draining = draining
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        call = BindService(Inner(started))(posted_picture() | {"app": app}, None, send)
        if answers:
            await call
            assert sent[0]["status"] == 503
            assert b"send it again" in sent[1]["body"]
        else:
            with pytest.raises(asyncio.CancelledError):
                await call
            assert len(sent) == started


async def test_before_the_service_starts_requests_pass(app: FastAPI) -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        assert (await client.get("/health/live")).status_code == 200


async def test_cookies_are_not_parsed(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(_: str) -> dict[str, str]:
        raise AssertionError("which takes seconds for some")

    monkeypatch.setattr("starlette.requests.cookie_parser", parse)
    async with serving(app) as client:
        answer = await client.get("/health/live", headers={"Cookie": 'a="' + '\\"' * 100 + '"'})

    assert answer.status_code == 200


async def test_request_of_a_model_that_was_replaced_is_refused_at_the_end(app: FastAPI) -> None:
    async with serving(app):
        replaced = app.state.service
        sent: list[dict[str, Any]] = []

        async def inner(*_: Any) -> None:
            app.state.service = SimpleNamespace(draining=True)
            raise asyncio.CancelledError

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await BindService(inner)(posted_picture() | {"app": app}, None, send)
        app.state.service = replaced

    assert sent[0]["status"] == 503
