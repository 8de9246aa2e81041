from __future__ import annotations

import pytest

from tests.app.client import assert_problem
from tests.app.pictures import BLUE, RED, picture
from tests.app.server import Connection, Server, until

pytestmark = pytest.mark.anyio

LIVE = b"GET /health/live HTTP/1.1\r\nHost: here\r\n\r\n"
ASKS = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
"""As curl --http2 and Java's client do with every first request."""


def upload(body: bytes, headers: bytes = ASKS) -> tuple[bytes, bytes]:
    """Return the head and the body of a picture's upload."""
    length = b"Content-Length: %d\r\n" % len(body)
    head = b"POST /predict HTTP/1.1\r\nHost: here\r\nContent-Type: image/jpeg\r\n"
    return head + length + headers + b"\r\n", body


async def label(connection: Connection) -> str:
    answer = await connection.answer()
    assert answer.status_code == 200
    return str(answer.json()["label"])


@pytest.mark.parametrize("pause", [False, True])
async def test_body_of_who_asks_for_another_protocol_is_read(server: Server, pause: bool) -> None:
    async with server.connection() as connection:
        head, body = upload(picture(BLUE))
        await connection.send(head)
        if pause:
            await until(lambda: server.requests == 1)
        await connection.send(body)
        assert await label(connection) == "blue"

        await connection.send(b"".join(upload(picture(RED))))
        assert await label(connection) == "red"


async def test_body_in_chunks_is_read(server: Server) -> None:
    async with server.connection() as connection:
        head = upload(b"")[0].replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        await connection.send(head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(picture(BLUE)), picture(BLUE)))
        assert await label(connection) == "blue"


@pytest.mark.parametrize("pause", [False, True])
async def test_body_is_no_other_request(server: Server, pause: bool) -> None:
    async with server.connection() as connection:
        head, body = upload(LIVE, ASKS.replace(b"Upgrade, ", b"close, Upgrade, "))
        await connection.send(head)
        if pause:
            await until(lambda: server.requests == 1)
        await connection.send(body)

        assert_problem(await connection.answer(), 415, "Unsupported image")
        assert await connection.rest() == b""


async def test_requests_in_a_pipeline_are_answered_in_turn(server: Server) -> None:
    async with server.connection() as connection:
        uploads = [b"".join(upload(picture(color))) for color in (BLUE, RED, BLUE)]
        await connection.send(uploads[0] + LIVE + uploads[1] + uploads[2])

        assert await label(connection) == "blue"
        assert (await connection.answer()).json() == {"status": "live"}
        assert [await label(connection) for _ in range(2)] == ["red", "blue"]


async def test_tunnel_is_refused(server: Server) -> None:
    async with server.connection() as connection:
        await connection.send(b"CONNECT elsewhere:443 HTTP/1.1\r\nHost: elsewhere\r\n\r\n")

        assert_problem(await connection.answer(), 400, "Malformed request")
        assert await connection.rest() == b""


@pytest.mark.parametrize("limits", [{"max_header_bytes": 16_384}])
async def test_what_it_asks_for_is_a_header_too(server: Server) -> None:
    async with server.connection() as connection:
        asks = ASKS.replace(b"h2c", b"h2c" + b"," * 20_000)
        await connection.send(upload(b"", asks)[0])

        assert (await connection.answer()).status_code == 431
        assert await connection.rest() == b""
