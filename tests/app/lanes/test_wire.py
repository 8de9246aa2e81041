from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.lanes.wire import Message, packed, read_message, receive_message, send_message

Pair = tuple[socket.socket, socket.socket]
BLOBS = [b"", b"one", bytes(1_000_000)]
"""More than a socket holds."""


@pytest.fixture
def pair() -> Iterator[Pair]:
    here, there = socket.socketpair()
    with here, there:
        yield here, there


@pytest.fixture
async def reader() -> asyncio.StreamReader:
    return asyncio.StreamReader()


def test_message_comes_as_it_was_sent(pair: Pair) -> None:
    here, there = pair
    told = {"names": ["é", None], "number": 1.5}
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send_message, here, told, BLOBS)

        assert read_message(there) == Message(told, BLOBS)
    sending.result()


def test_message_needs_no_blobs(pair: Pair) -> None:
    here, there = pair
    send_message(here, "ready")

    assert read_message(there) == Message("ready", [])


def test_no_byte_of_the_next_message_is_read(pair: Pair) -> None:
    here, there = pair
    send_message(here, 1, [b"first"])
    second = b"".join(packed(2, [b"second"]))
    here.sendall(second)
    read_message(there)

    assert there.recv(1000) == second


@pytest.mark.parametrize("length", [0, 3, 10, -1])
def test_end_of_the_other_side_is_told(pair: Pair, length: int) -> None:
    here, there = pair
    here.sendall(b"".join(packed("told", [b"blob"]))[:length])
    here.close()

    with pytest.raises(EOFError):
        read_message(there)


@pytest.mark.parametrize("length", [0, 3, 10, -1])
def test_message_that_is_late_is_told(pair: Pair, length: int) -> None:
    here, there = pair
    here.sendall(b"".join(packed("told", [b"blob"]))[:length])
    there.settimeout(0.01)

    with pytest.raises(TimeoutError):
        read_message(there)


def test_sending_to_nobody_is_told(pair: Pair) -> None:
    here, there = pair
    there.close()

    with pytest.raises(OSError, match="pipe"):
        send_message(here, "ready")


@pytest.mark.anyio
async def test_messages_are_received_one_by_one(reader: asyncio.StreamReader) -> None:
    reader.feed_data(b"".join([*packed(1, BLOBS), *packed([2])]))

    assert await receive_message(reader) == Message(1, BLOBS)
    assert await receive_message(reader) == Message([2], [])


@pytest.mark.anyio
@pytest.mark.parametrize("length", [0, 3, 10, -1])
async def test_end_of_the_other_side_is_received(reader: asyncio.StreamReader, length: int) -> None:
    reader.feed_data(b"".join(packed("told", [b"blob"]))[:length])
    reader.feed_eof()

    with pytest.raises(EOFError):
        await receive_message(reader)
