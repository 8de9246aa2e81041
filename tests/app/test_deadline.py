from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.deadline import BYTES_PER_SECOND, Deadlines, Patience
from tests.app.bodies import WAYS, posts
from tests.app.client import assert_problem
from tests.app.fake_engine import FakeEngine
from tests.app.pictures import picture
from tests.app.server import Server, drip, until
from tests.app.v2.requests import assert_error

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("limits", [{"transfer_seconds": 0.2}])
async def test_slow_body_is_cut_off(server: Server, way: str) -> None:
    post = posts(picture())[way]
    async with server.connection() as connection:
        await connection.send(post.head("Transfer-Encoding: chunked"))
        cut_off = asyncio.create_task(connection.answer())
        await drip(connection, b"1\r\n\n\r\n", cut_off)
        answer = await cut_off
        assert await connection.rest() == b""

    if way.startswith("infer"):
        assert_error(answer, 408, "arrives too slowly")
    else:
        assert_problem(answer, 408, "Request too slow")


@pytest.mark.parametrize("limits", [{"transfer_seconds": 0.2}])
async def test_body_that_never_comes_is_cut_off(server: Server) -> None:
    async with server.connection() as connection:
        await connection.send(posts(picture())["predict"].head("Content-Length: 999"))

        assert_problem(await connection.answer(), 408, "Request too slow")


async def test_slow_clients_hold_up_nobody(server: Server) -> None:
    async with server.connection() as slow, server.client() as client:
        post = posts(picture())["predict"]
        await slow.send(post.head("Content-Length: 999"))
        await until(lambda: server.requests == 1)

        answer = await client.post(post.path, content=post.body, headers=post.headers)
        assert answer.status_code == 200
        assert server.requests == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("limits", [{"answer_seconds": 0.2}])
async def test_late_answer_is_a_problem(server: Server, fake_engine: FakeEngine, way: str) -> None:
    fake_engine.free.clear()
    occupant = server.app.state.service.classify(picture())
    await asyncio.to_thread(fake_engine.entered.wait)
    async with server.connection() as connection:
        await connection.send(posts(picture())[way].whole)
        answer = await connection.answer()

    fake_engine.free.set()
    await occupant
    if way.startswith("infer"):
        assert_error(answer, 504, "no answer within 0.2 s")
    else:
        assert_problem(answer, 504, "Deadline passed")
    assert await server.app.state.service.classify(picture())
    assert fake_engine.batch_sizes == [1, 1], "a picture that nobody waits for was predicted"


async def test_time_of_the_body_is_not_the_services(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, hours = asyncio.get_running_loop(), 0
    time = loop.time
    monkeypatch.setattr(loop, "time", lambda: time() + 3600 * hours)

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await alarms_that_are_due()
        await send({"type": "http.response.start", "status": 204})

    async def receive() -> Message:
        nonlocal hours
        hours = 2
        await alarms_that_are_due()
        return {"type": "http.request"}

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    deadlines = Deadlines(app, transfer_seconds=3 * 3600, answer_seconds=3600)
    await deadlines({"type": "http"}, receive, send)

    assert [message["status"] for message in sent] == [204]


async def alarms_that_are_due() -> None:
    """Let them ring, and who is told by them end."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_patience_is_spent_and_earned() -> None:
    patience = Patience(30)

    patience.spend(20, 0)
    assert patience.seconds == 10
    patience.spend(5, 15 * BYTES_PER_SECOND)
    assert patience.seconds == 20
    patience.spend(1, 10**9)
    assert patience.seconds == 30
