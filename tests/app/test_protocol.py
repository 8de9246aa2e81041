from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.protocol import SPARE_CONNECTIONS
from tests.app.client import assert_problem
from tests.app.server import Connection, Server, drip, until

pytestmark = pytest.mark.anyio

LIVE = b"GET /health/live HTTP/1.1\r\nHost: here\r\n\r\n"
PAGE = b"GET /openapi.json HTTP/1.1\r\nHost: here\r\n\r\n"
PREDICT = b"POST /predict HTTP/1.1\r\nHost: here\r\nContent-Type: image/jpeg\r\n"


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Return what `python -m app` runs on; the other tests run on asyncio's own loop."""
    return "asyncio", {"use_uvloop": True}


@pytest.mark.parametrize("limits", [{"header_seconds": 0.5, "keep_alive_seconds": 0.5}])
class TestTimeOfHeaders:
    async def test_silent_connection_is_closed(self, server: Server) -> None:
        async with server.connection() as connection:
            assert await connection.rest() == b""

    @pytest.mark.parametrize("before", [b"", LIVE])
    async def test_slow_headers_are_cut_off(self, server: Server, before: bytes) -> None:
        async with server.connection() as connection:
            await connection.send(before)
            if before:
                await connection.answer()
            cut_off = asyncio.create_task(connection.answer())
            await connection.send(LIVE[:-2])
            await drip(connection, b"a", cut_off)

            assert_problem(await cut_off, 408, "Request too slow")
            assert await connection.rest() == b""


@pytest.mark.parametrize("limits", [{"header_seconds": 3600, "keep_alive_seconds": 0.5}])
async def test_silent_connection_is_closed_after_an_answer(server: Server) -> None:
    async with server.connection() as connection:
        await connection.send(LIVE)
        assert (await connection.answer()).status_code == 200
        assert await connection.rest() == b""


@pytest.mark.parametrize(
    "limits", [{"header_seconds": 0.5, "keep_alive_seconds": 0.5, "transfer_seconds": 3}]
)
async def test_body_that_nobody_reads_may_arrive_for_a_while(server: Server) -> None:
    async with server.connection() as connection:
        await connection.send(LIVE[:-2] + b"Content-Length: 9999\r\n\r\n")
        assert (await connection.answer()).status_code == 200
        begin = asyncio.get_running_loop().time()
        ended = asyncio.create_task(connection.rest())
        await drip(connection, b"a", ended)

        assert await ended == b""
        assert asyncio.get_running_loop().time() - begin > 1.5, "longer than a head may take"


@pytest.mark.parametrize("limits", [{"max_header_bytes": 1024}])
class TestSizeOfHeaders:
    @pytest.mark.parametrize(
        "head",
        [
            b"GET /" + b"a" * 1024 + b" HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 1024 + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + b"X:\r\n" * 256 + b"\r\n",
        ],
    )
    async def test_large_head_is_refused(self, server: Server, head: bytes) -> None:
        async with server.connection() as connection:
            await connection.send(head)

            assert_problem(await connection.answer(), 431, "Headers too large")
            assert await connection.rest() == b""

    async def test_refusal_is_counted_and_named(self, server: Server) -> None:
        async with server.connection() as connection:
            await connection.send(b"GET /" + b"a" * 1024 + b" HTTP/1.1\r\n\r\n")
            answer = await connection.answer()

        figures = server.app.state.metrics.render().decode()
        assert re.fullmatch("[0-9a-f]{16}", answer.headers["X-Request-ID"])
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        labels = 'problem="headers-too-large",route="other",status="431"'
        assert f"alexnet_requests_total{{{labels}}} 1.0" in figures
        assert 'alexnet_rejected_total{reason="headers-too-large"} 1.0' in figures

    @pytest.mark.parametrize(
        "head",
        [
            b"GET /",
            b"GET / HTTP/1.1\r\nX-Long: ",
            PREDICT + b"Transfer-Encoding: chunked\r\n\r\n1;a",
            PREDICT + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Trailer: ",
        ],
    )
    async def test_endless_line_is_refused(self, server: Server, head: bytes) -> None:
        async with server.connection() as connection:
            refused = asyncio.create_task(connection.answer())
            await connection.send(head)
            await drip(connection, b"a" * 100, refused)

            assert_problem(await refused, 431, "Headers too large")

    async def test_smaller_heads_are_read_one_after_another(self, server: Server) -> None:
        head = LIVE[:-2] + b"X-Long: " + b"a" * 900 + b"\r\n\r\n"
        async with server.connection() as connection:
            for _ in range(3):
                await connection.send(head)
                assert (await connection.answer()).status_code == 200


@pytest.mark.parametrize("limits", [{"max_connections": 1}])
class TestConnections:
    @pytest.fixture
    async def idle(self, server: Server) -> AsyncIterator[Connection]:
        async with server.connection() as connection:
            await until(lambda: server.connections == 1)
            yield connection

    @pytest.mark.usefixtures("idle")
    async def test_beyond_the_limit_pictures_are_refused(self, server: Server) -> None:
        async with server.connection() as connection:
            await connection.send(PREDICT + b"Content-Length: 9999\r\n\r\n")
            refusal = await connection.answer()

            assert_problem(refusal, 503, "Too many connections")
            assert refusal.headers["retry-after"] == "1"
            assert await connection.rest() == b""

    async def test_those_within_the_limit_are_served_on(
        self, server: Server, idle: Connection
    ) -> None:
        async with server.connection():
            await until(lambda: server.connections == 2)
            await idle.send(PREDICT + b"Content-Length: 0\r\n\r\n")

            assert_problem(await idle.answer(), 400, "Empty file")

    async def test_one_beyond_the_limit_takes_the_room_that_comes_back(
        self, server: Server, idle: Connection
    ) -> None:
        async with server.connection() as connection:
            await until(lambda: server.connections == 2)
            await idle.close()
            await until(lambda: server.connections == 1)
            await connection.send(PREDICT + b"Content-Length: 0\r\n\r\n")

            assert_problem(await connection.answer(), 400, "Empty file")

    @pytest.mark.usefixtures("idle")
    @pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/v2/health/ready"])
    async def test_beyond_the_limit_health_is_answered(self, server: Server, path: str) -> None:
        async with server.client() as client:
            assert (await client.get(path)).status_code == 200

    async def test_room_comes_back(self, server: Server, idle: Connection) -> None:
        await idle.close()
        await until(lambda: server.connections == 0)

        async with server.connection() as connection:
            await connection.send(PREDICT + b"Content-Length: 0\r\n\r\n")
            assert_problem(await connection.answer(), 400, "Empty file")

    async def test_far_beyond_the_limit_connections_are_closed(self, server: Server) -> None:
        async with contextlib.AsyncExitStack() as others:
            for _ in range(1 + SPARE_CONNECTIONS):
                await others.enter_async_context(server.connection())
            await until(lambda: server.connections == 1 + SPARE_CONNECTIONS)
            async with server.connection() as connection:
                refusal = await connection.answer()
                assert_problem(refusal, 503, "Too many connections")
                assert refusal.headers["retry-after"] == "1"
                assert await connection.rest() == b""


@pytest.mark.parametrize(
    "limits", [{"transfer_seconds": 0.2, "header_seconds": 0.2, "keep_alive_seconds": 0.1}]
)
class TestSlowReaders:
    @pytest.fixture(autouse=True)
    def no_patience_for_size(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("app.protocol.BYTES_PER_SECOND", 1e9)

    async def test_who_does_not_fetch_answers_is_cut_off(self, server: Server) -> None:
        async with server.connection() as connection:
            await connection.send(PAGE * 5)
            await until(lambda: server.requests == 1)

            await until(lambda: server.connections == 0)

    async def test_who_does_not_fetch_the_last_answer_is_cut_off(self, server: Server) -> None:
        async with server.connection() as connection:
            await connection.send(PAGE)
            await until(lambda: server.connections == 1)

            await until(lambda: server.connections == 0)


async def test_few_requests_wait_on_a_connection(server: Server) -> None:
    async with server.connection() as connection:
        await connection.send(LIVE * 1000)

        assert (await connection.rest()).count(b"HTTP/1.1 200") == 1 + 8


@pytest.mark.parametrize("after", [b"no HTTP\r\n\r\n", LIVE[:-2] + b"X-Long: " + b"a" * 40_000])
async def test_what_follows_a_request_does_not_take_its_answer(
    server: Server, after: bytes
) -> None:
    async with server.connection() as connection:
        await connection.send(LIVE + after)

        assert (await connection.answer()).status_code == 200
        assert await connection.rest() == b""


async def test_headers_are_counted(server: Server) -> None:
    async with server.connection() as connection:
        await connection.send(b"GET / HTTP/1.1\r\n" + b"a:\r\n" * 200)

        refusal = await connection.answer()
        assert_problem(refusal, 431, "Headers too large")
        assert "at most 128" in refusal.json()["detail"]


async def test_long_queries_are_refused(server: Server) -> None:
    async with server.connection() as connection:
        await connection.send(b"GET /health/live?" + b"a=%20&" * 400 + b" HTTP/1.1\r\n\r\n")

        refusal = await connection.answer()
        assert_problem(refusal, 431, "Headers too large")
        assert "path and query" in refusal.json()["detail"]


async def test_trailers_are_no_headers(server: Server) -> None:
    head = LIVE[:-2] + b"Transfer-Encoding: chunked\r\n\r\n"
    async with server.connection() as connection:
        await connection.send(head + b"0\r\nX-Request-ID: of-the-trailer\r\n\r\n")

        answer = await connection.answer()
        assert answer.status_code == 200
        assert answer.headers["X-Request-ID"] != "of-the-trailer"
