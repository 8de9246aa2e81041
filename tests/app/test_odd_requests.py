"""What no well-behaved client sends: it is answered or cut off, and nothing else comes of it."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator

import pytest

from tests.app.bodies import WAYS, posts
from tests.app.client import assert_problem
from tests.app.pictures import picture
from tests.app.server import Server, until

pytestmark = pytest.mark.anyio

PREDICT = b"POST /predict HTTP/1.1\r\nHost: here\r\nContent-Type: image/jpeg\r\n"
LIVE = b"GET /health/live HTTP/1.1\r\nHost: here\r\n\r\n"
CHUNKED = PREDICT + b"Transfer-Encoding: chunked\r\n\r\n"

NO_HTTP = {
    "garbage": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "zeros": bytes(100),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "unknown version": b"GET / HTTP/7.3\r\n\r\n",
    "unknown method": b"PREDICT /predict HTTP/1.1\r\n\r\n",
    "target is no URL": b"GET ht!tp://[ HTTP/1.1\r\n\r\n",
    "target is a host": b"GET http://here HTTP/1.1\r\n\r\n",
    "target is not ASCII": b"GET /\xff\xfe HTTP/1.1\r\n\r\n",
    "tunnel": b"CONNECT elsewhere:443 HTTP/1.1\r\n\r\n",
    "space in a header's name": b"GET / HTTP/1.1\r\nX y: 1\r\n\r\n",
    "header without a colon": b"GET / HTTP/1.1\r\nHost\r\n\r\n",
    "zero in a header": b"GET / HTTP/1.1\r\nX: \x00\r\n\r\n",
    "folded header": b"GET / HTTP/1.1\r\n X: 1\r\n\r\n",
    "negative length": PREDICT + b"Content-Length: -1\r\n\r\n",
    "length is no number": PREDICT + b"Content-Length: many\r\n\r\n",
    "length overflows": PREDICT + b"Content-Length: 99999999999999999999\r\n\r\n",
    "two lengths": PREDICT + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n?",
    "length and chunks": PREDICT
    + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    + LIVE,
    "chunks and length": PREDICT
    + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"
    + LIVE,
    "chunks, but not last": PREDICT + b"Transfer-Encoding: chunked, gzip\r\n\r\n",
    "chunk's size is no number": CHUNKED + b"zz\r\n",
    "chunk's size is negative": CHUNKED + b"-1\r\n?\r\n",
    "chunk's size overflows": CHUNKED + b"fffffffffffffffff\r\n",
    "chunk is longer than its size": CHUNKED + b"1\r\n??\r\n0\r\n\r\n",
    "chunk's size without a line": CHUNKED + b"\n1\r\n?\r\n",
}


ODD = {
    "HTTP/0.9": b"GET /health/live\r\n\r\n",
    "HTTP/1.0": b"GET /health/live HTTP/1.0\r\n\r\n",
    "lines end as on Unix": b"GET /health/live HTTP/1.1\nHost: here\n\n",
    "empty lines first": b"\r\n" * 100 + LIVE,
    "target is a star": b"OPTIONS * HTTP/1.1\r\n\r\n",
    "target leaves the folder": b"GET /page/../../app/main.py HTTP/1.1\r\n\r\n",
    "target leaves the folder, escaped": b"GET /page/..%2f..%2fmain.py HTTP/1.1\r\n\r\n",
    "zero in the target": b"GET /page/%00 HTTP/1.1\r\n\r\n",
    "target is not UTF-8": b"GET /page/%ff%fe HTTP/1.1\r\n\r\n",
    "long name of a file": b"GET /page/" + b"a" * 5000 + b" HTTP/1.1\r\n\r\n",
    "name of a model is not UTF-8": b"GET /v2/models/%ff%00 HTTP/1.1\r\n\r\n",
    "query is not UTF-8": b"GET /health/live?%ff=%ff HTTP/1.1\r\n\r\n",
    "host is missing": b"GET /models HTTP/1.1\r\n\r\n",
    "host is none": b"GET /nowhere HTTP/1.1\r\nHost: [::z]:99999999 \xff\r\n\r\n",
    "many hosts": b"GET /nowhere HTTP/1.1\r\n" + b"Host: a\r\n" * 100 + b"\r\n",
    "header is not ASCII": b"GET / HTTP/1.1\r\nAccept: \xff\xfe\r\n\r\n",
    "range": b"GET /page/main.js HTTP/1.1\r\nRange: bytes=9999999-\r\n\r\n",
    "no range": b"GET /page/main.js HTTP/1.1\r\nRange: bytes=-\xff,a-b\r\n\r\n",
    "forwarded for nobody": b"GET / HTTP/1.1\r\nX-Forwarded-For: \xff,,:\r\n\r\n",
    "no conditions": b"GET / HTTP/1.1\r\nIf-Modified-Since: \xff\r\nIf-None-Match: \xff\r\n\r\n",
    "WebSocket": b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "WebSocket with a body": PREDICT
    + b"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\n?",
    "HTTP/2 by upgrade": b"GET / HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\n"
    b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
    "body of a GET": LIVE[:-2] + b"Content-Length: 3\r\n\r\nabc",
    "no body": PREDICT + b"\r\n",
    "unknown expectation": PREDICT + b"Expect: miracles\r\nContent-Length: 0\r\n\r\n",
    "content type is not ASCII": b"POST /predict HTTP/1.1\r\nContent-Type: \xff\r\n\r\n",
    "boundary is not ASCII": b"POST /predict HTTP/1.1\r\nContent-Length: 3\r\n"
    b"Content-Type: multipart/form-data; boundary=\xff\r\n\r\n--\xff",
    "boundary is long": b"POST /predict HTTP/1.1\r\nContent-Length: 1\r\n"
    b"Content-Type: multipart/form-data; boundary=" + b"a" * 9000 + b"\r\n\r\n-",
    "boundary is encoded": b"POST /predict/batch HTTP/1.1\r\nContent-Length: 3\r\n"
    b"Content-Type: multipart/form-data; boundary*=no-charset'\xff'%ff\r\n\r\n--a",
    "length of JSON is not": b"POST /v2/models/red-or-blue/infer HTTP/1.1\r\nContent-Length: 0\r\n"
    b"Inference-Header-Content-Length: 1e99\r\n\r\n",
    "length of JSON is large": b"POST /v2/models/red-or-blue/infer HTTP/1.1\r\n"
    b"Content-Length: 2\r\nInference-Header-Content-Length: " + b"9" * 4000 + b"\r\n\r\n{}",
}


@pytest.fixture(autouse=True)
async def unharmed(server: Server, caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """Check afterwards that the service is as before, and has noticed no failure of its own."""
    yield
    await until(lambda: server.requests == 0)
    async with server.client() as client:
        post = posts(picture())["predict"]
        answer = await client.post(post.path, content=post.body, headers=post.headers)
        assert answer.json()["label"] == "red"
    for record in caplog.get_records("call"):
        assert record.levelno <= logging.WARNING
        assert record.exc_info is None


async def test_what_is_no_http_is_refused(server: Server) -> None:
    for kind, request in NO_HTTP.items():
        async with server.connection() as connection:
            await connection.send(request)

            answer = await connection.answer()
            assert answer.status_code == 400, kind
            assert_problem(answer, 400, "Malformed request")
            assert await connection.rest() == b""


async def test_what_is_odd_is_answered(server: Server) -> None:
    for kind, request in ODD.items():
        async with server.connection() as connection:
            await connection.send(request)

            assert (await connection.answer()).status_code < 500, kind


@pytest.mark.parametrize("method", ["DELETE", "HEAD", "OPTIONS", "PATCH", "PROPFIND", "TRACE"])
async def test_other_methods_are_answered(server: Server, method: str) -> None:
    async with server.client() as client:
        for path in ("/", "/predict", "/predict/batch", "/v2", "/nowhere", "/page"):
            assert (await client.request(method, path)).status_code < 500, path


async def test_requests_in_a_pipeline_are_answered_in_order(server: Server) -> None:
    post = posts(picture())["predict"]
    async with server.connection() as connection:
        await connection.send((LIVE + post.whole) * 4)

        for _ in range(4):
            assert (await connection.answer()).json() == {"status": "live"}
            assert (await connection.answer()).json()["label"] == "red"


async def test_body_is_asked_for_where_the_client_waits_for_that(server: Server) -> None:
    post = posts(picture())["predict"]
    async with server.connection() as connection:
        await connection.send(
            post.head(f"Content-Length: {len(post.body)}", "Expect: 100-continue")
        )
        assert (await connection.answer()).status_code == 100
        await connection.send(post.body)
        assert (await connection.answer()).json()["label"] == "red"


async def test_request_behind_an_unread_body_is_not_taken_for_a_part_of_it(server: Server) -> None:
    async with server.connection() as connection:
        await connection.send(LIVE[:-2] + b"Content-Length: 3\r\n\r\nabc" + LIVE)

        for _ in range(2):
            assert (await connection.answer()).json() == {"status": "live"}


@pytest.mark.parametrize("way", WAYS)
async def test_connection_that_breaks_off_is_dropped(server: Server, way: str) -> None:
    post = posts(picture())[way]
    for length in range(0, len(post.whole), 97):
        async with server.connection() as connection:
            await connection.send(post.whole[:length])


@pytest.mark.parametrize(
    "limits", [{"header_seconds": 0.5, "transfer_seconds": 0.5, "keep_alive_seconds": 0.2}]
)
@pytest.mark.parametrize("way", WAYS)
async def test_damaged_requests_are_answered_or_cut_off(server: Server, way: str) -> None:
    request = posts(picture())[way].whole
    dice = random.Random(way)

    async def send_damaged(request: bytes) -> bytes:
        async with server.connection() as connection:
            await connection.send(request)
            return await connection.rest()

    damaged = [damage(request, dice) for _ in range(40)]
    for answer in await asyncio.gather(*map(send_damaged, damaged)):
        assert not answer.startswith(b"HTTP/1.1 500")


def damage(request: bytes, dice: random.Random) -> bytes:
    """Change, remove or repeat some bytes, mostly of the headers."""
    damaged = bytearray(request)
    for _ in range(dice.randint(1, 4)):
        place = dice.randrange(dice.choice([300, len(damaged)]))
        length = dice.choice([1, 1, 2, 10])
        change = dice.choice([b"", dice.randbytes(length), bytes(damaged[place - 20 : place])])
        damaged[place : place + length] = change
    return bytes(damaged)
