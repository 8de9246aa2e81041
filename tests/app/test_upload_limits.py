"""What is too much, over real sockets, however its length is told."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.app.bodies import WAYS, form, posts
from tests.app.client import assert_problem
from tests.app.pictures import picture
from tests.app.server import Connection, Server, drip
from tests.app.v2.requests import assert_error

pytestmark = pytest.mark.anyio

LIMIT = 50_000


@pytest.fixture
def limits() -> dict[str, Any]:
    return {"max_upload_bytes": LIMIT, "max_batch_bytes": LIMIT, "max_held_bytes": 10 * LIMIT}


def assert_too_large(answer: httpx.Response, way: str) -> None:
    if way.startswith("infer"):
        assert_error(answer, 413, "too large")
    else:
        assert_problem(answer, 413, "Batch too large" if way == "batch" else "File too large")


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def chunks(body: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        yield chunk(body[start : start + size])
    yield chunk(b"")


async def send_in_background(connection: Connection, parts: Iterator[bytes]) -> None:
    for part in parts:
        await connection.send(part)


@pytest.mark.parametrize("expectation", [[], ["Expect: 100-continue"]])
async def test_claimed_length_is_refused_unread(server: Server, expectation: list[str]) -> None:
    for way, post in posts(b"").items():
        async with server.connection() as connection:
            await connection.send(post.head("Content-Length: 99999999999", *expectation))

            assert_too_large(await connection.answer(), way)


async def test_length_may_be_written_in_any_number_of_digits(server: Server) -> None:
    for post in posts(picture()).values():
        async with server.connection() as connection:
            length = f"{len(post.body):05000d}"
            await connection.send(post.head(f"Content-Length: {length}") + post.body)

            assert (await connection.answer()).status_code == 200


@pytest.mark.parametrize("way", WAYS)
async def test_endless_body_is_refused_while_it_comes(server: Server, way: str) -> None:
    post = posts(b"?")[way]
    async with server.connection() as connection:
        await connection.send(post.head("Transfer-Encoding: chunked") + chunk(post.body))
        refused = asyncio.create_task(connection.answer())
        await drip(connection, chunk(b"\n" * 4096), refused)

        assert_too_large(await refused, way)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("way", ["predict", "predict, form", "batch"])
@pytest.mark.parametrize("excess", [0, 1])
async def test_file_may_have_as_many_bytes_as_are_allowed(
    server: Server, way: str, chunked: bool, excess: int
) -> None:
    size = LIMIT + excess
    if way == "batch":  # whose limit is that of the body
        size -= len(posts(b"")[way].body)
    post = posts(bytes(size))[way]
    async with server.connection() as connection:
        if chunked:
            await connection.send(post.head("Transfer-Encoding: chunked"))
            sending = asyncio.create_task(send_in_background(connection, chunks(post.body, 1000)))
            answer = await connection.answer()
            await sending
        else:
            await connection.send(post.whole)
            answer = await connection.answer()

    if excess:
        assert_too_large(answer, way)
    elif way == "batch":
        assert answer.json()["results"][0]["problem"]["title"] == "Unsupported image"
    else:
        assert_problem(answer, 415, "Unsupported image")


@pytest.mark.parametrize("limits", [{"max_form_fields": 2}])
@pytest.mark.parametrize("way", ["predict, form", "batch", "explain, form"])
async def test_fields_of_a_form_are_counted(server: Server, way: str) -> None:
    post = posts(b"")[way]
    empty = form(post.path, "other", *[b""] * 3)
    async with server.connection() as connection:
        await connection.send(empty.whole)

        assert_problem(await connection.answer(), 413, "Too many fields")


@pytest.mark.parametrize("limits", [{"max_part_header_bytes": 256}])
@pytest.mark.parametrize("way", ["predict, form", "batch", "explain, form"])
async def test_headers_of_a_part_are_bounded(server: Server, way: str) -> None:
    post = posts(b"")[way]
    long = post.body.replace(b"\r\n\r\n", b"\r\nX-Long: " + bytes(257) + b"\r\n\r\n", 1)
    async with server.connection() as connection:
        await connection.send(post._replace(body=long).whole)

        assert_problem(await connection.answer(), 400, "Malformed upload")


@pytest.mark.parametrize("limits", [{"max_upload_bytes": 5_000_000}])
@pytest.mark.parametrize("way", WAYS)
async def test_nothing_is_spooled_to_disk(
    server: Server, way: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    post = posts(picture(size=(1000, 900), file_format="BMP"))[way]
    async with server.client() as client:
        answer = await client.post(post.path, content=post.body, headers=post.headers)

    assert len(post.body) > 2_000_000
    assert answer.status_code == 200
