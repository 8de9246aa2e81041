from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Callable

import pytest

from app.errors import UnsupportedUploadError, UploadTooLargeError
from app.overload import HOLD
from app.v2.body import Body
from app.v2.errors import InvalidInferenceError
from tests.app.v2.requests import sent

pytestmark = pytest.mark.anyio


async def test_body_is_read_in_parts() -> None:
    body = Body(sent(b"ab", b"cde", b"f"), 6)

    assert await body.read(3) == b"abc"
    assert await body.read(1) == b"d"
    assert await body.rest() == b"ef"
    assert await body.rest() == b""


async def test_no_more_is_read_than_asked_for() -> None:
    body = Body(sent(b"ab", b"cd", b"x" * 100), 4)

    assert await body.read(4) == b"abcd"
    with pytest.raises(UploadTooLargeError, match="at most 4 bytes"):
        await body.rest()


async def test_claimed_length_is_refused_before_anything_is_read() -> None:
    with pytest.raises(UploadTooLargeError, match="at most 4 bytes"):
        Body(sent(content_length="5"), 4)


async def test_body_that_ends_early_is_refused() -> None:
    with pytest.raises(InvalidInferenceError, match="ends 2 bytes before"):
        await Body(sent(b"a"), 100).read(3)


@pytest.mark.parametrize(
    ("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)]
)
async def test_compressed_body_is_inflated(
    encoding: str, compress: Callable[[bytes], bytes]
) -> None:
    data = bytes(range(256)) * 4096
    body = compress(data)
    chunks = (body[:1], body[1:100], body[100:])

    assert await Body(sent(*chunks, content_encoding=encoding), len(data)).rest() == data


async def test_inflated_bytes_are_counted() -> None:
    bomb = gzip.compress(bytes(10_000_000))
    body = Body(sent(bomb, content_encoding="gzip"), 20_000)

    assert len(bomb) < 20_000
    with pytest.raises(UploadTooLargeError, match="20000 bytes a request, counted uncompressed"):
        await body.rest()


async def test_inflated_bytes_are_held_with_all_others() -> None:
    body = gzip.compress(bytes(1_000_000))
    request, held = sent(body, content_encoding="gzip"), []
    request.scope[HOLD] = held.append

    await Body(request, 1_000_000).rest()

    assert sum(held) == 1_000_000 - len(body), "what came as it is counted by who received it"
    assert max(held) < 300_000, "it is told before all is inflated"


@pytest.mark.parametrize("chunks", [1, 2])
async def test_what_follows_the_compressed_body_is_refused(chunks: int) -> None:
    first, second = gzip.compress(b"abc"), gzip.compress(b"def")
    parts = [first + second] if chunks == 1 else [first, second]

    with pytest.raises(InvalidInferenceError, match="goes on after its end"):
        await Body(sent(*parts, content_encoding="gzip"), 1000).rest()


@pytest.mark.parametrize("body", [b"not gzip", gzip.compress(b"abc", mtime=0)[:-1], b""])
async def test_damaged_compression_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInferenceError, match="compressed body"):
        await Body(sent(body, content_encoding="gzip"), 1000).rest()


async def test_other_encodings_are_refused() -> None:
    with pytest.raises(UnsupportedUploadError, match="'br' is not supported; send gzip, deflate"):
        Body(sent(content_encoding="br"), 1000)


async def test_others_have_their_turn_while_much_is_inflated() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    others = asyncio.create_task(count())
    await Body(sent(gzip.compress(bytes(2**22)), content_encoding="gzip"), 2**23).rest()
    others.cancel()

    assert turns >= 2**22 // 262_144
