"""What the service and its lanes tell each other, through a socket.

A message is the length of its head, the head in JSON, and blobs of bytes whose lengths are in the
head. Not pickled: what a hostile picture may make of a lane must not reach the service.
"""

from __future__ import annotations

import json
import socket
import struct
from asyncio import StreamReader
from collections.abc import Sequence
from typing import Any, NamedTuple

_LENGTH = struct.Struct("!I")


class Message(NamedTuple):
    """What is told, and bytes that go with it."""

    told: Any
    """Of JSON's types."""
    blobs: Sequence[bytes]


def packed(told: object, blobs: Sequence[bytes] = ()) -> list[bytes]:
    """Return a message as bytes to be sent one after the other."""
    head = json.dumps([told, [len(blob) for blob in blobs]]).encode()
    return [_LENGTH.pack(len(head)) + head, *blobs]


def send_message(connection: socket.socket, told: object, blobs: Sequence[bytes] = ()) -> None:
    """Send a message.

    Raises:
        OSError: The other side has ended.
    """
    connection.sendall(b"".join(packed(told, blobs)))


def read_message(connection: socket.socket) -> Message:
    """Wait for a message.

    Raises:
        EOFError: The other side has ended.
        OSError: Likewise, or it is late.
    """
    (length,) = _LENGTH.unpack(_read(connection, _LENGTH.size))
    told, lengths = json.loads(_read(connection, length))
    return Message(told, [_read(connection, each) for each in lengths])


async def receive_message(reader: StreamReader) -> Message:
    """Wait for a message.

    Raises:
        EOFError: The other side has ended.
        OSError: Likewise.
    """
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    told, lengths = json.loads(await reader.readexactly(length))
    return Message(told, [await reader.readexactly(each) for each in lengths])


def _read(connection: socket.socket, length: int) -> bytes:
    """Read no byte more: whether there is another message is asked of the socket."""
    data = connection.recv(length, socket.MSG_WAITALL) if length else b""
    while len(data) < length:  # a signal, or a time limit
        more = connection.recv(length - len(data))
        if not more:
            raise EOFError("it ended")
        data += more
    return data
