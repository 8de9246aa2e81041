"""Clients that do not keep to the protocol, or do not stay."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from hardening import bodies
from hardening.bad import UPLOAD_BYTES
from hardening.reference import Reference
from hardening.trial import Client, Make, Trial

_PATIENCE_SECONDS = 30
_HEADER_BYTES = 32 * 2**10
"""Of a request that is read."""


@dataclass(frozen=True)
class Leaving:
    """A client that sends something, and leaves without an answer."""

    kind: str
    sent: bytes
    stays_seconds: float
    resets: bool
    """The connection, rather than closing it."""

    async def run(self, client: Client) -> str:
        _, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(self.sent)
        await asyncio.sleep(self.stays_seconds)
        if self.resets:
            writer.transport.abort()
        else:
            writer.close()
        return ""


@dataclass(frozen=True)
class Told:
    """A client that is to be told a status although it has not sent a whole request."""

    kind: str
    sent: bytes
    status: int

    async def run(self, client: Client) -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        try:
            writer.write(self.sent)
            async with asyncio.timeout(_PATIENCE_SECONDS):
                line = await reader.readline()
        except TimeoutError as error:
            return f"No answer: {error!r}"
        finally:
            writer.close()
        if not line:
            raise ConnectionResetError("The connection ended without an answer.")
        return "" if line.split()[1:2] == [b"%d" % self.status] else f"The answer is {line!r}"


def cut(random: Random, reference: Reference) -> Trial:
    """Send a part of a request, and leave."""
    whole = _any_request(random, reference)
    sent = whole[: random.randrange(1, len(whole))]
    return Leaving("cut off in the middle", sent, random.uniform(0, 0.02), random.random() < 0.5)


def abandoned(random: Random, reference: Reference) -> Trial:
    """Send a request, and leave before the answer."""
    sent = _any_request(random, reference)
    return Leaving("abandoned", sent, random.uniform(0, 0.02), random.random() < 0.5)


def claimed(random: Random, reference: Reference) -> Trial:
    """Say that more is coming than is taken."""
    path = random.choice(["/predict", "/explain", reference.infer_path])
    size = random.randrange(UPLOAD_BYTES + 70_000, 2**40)
    sent = _head(path, {"Content-Type": "application/octet-stream"}, size) + bytes(1000)
    return Told("claims to be oversized", sent, 413)


def heavy(random: Random, reference: Reference) -> Trial:
    """Send more headers than are read."""
    headers = {"X-Heavy": "x" * random.randrange(_HEADER_BYTES, 10 * _HEADER_BYTES)}
    return Told("too many headers", _head("/predict", headers, 0), 431)


def garbage(random: Random, reference: Reference) -> Trial:
    """Speak no HTTP."""
    return Told("no HTTP", random.randbytes(200) + b"\r\n\r\n", 400)


KINDS: Mapping[Make, int] = {cut: 10, abandoned: 10, claimed: 6, heavy: 3, garbage: 2}
"""And how often each comes, in proportion."""


def _any_request(random: Random, reference: Reference) -> bytes:
    pictures = [each.picture for each in random.sample(reference.known, 3)]
    path, body = random.choice(
        [
            ("/predict", bodies.raw(pictures[0])),
            ("/predict", bodies.form("file", pictures[:1])),
            ("/predict/batch", bodies.form("files", pictures)),
            ("/explain", bodies.raw(pictures[0])),
            (reference.infer_path, bodies.inference(pictures)),
            (reference.infer_path, bodies.binary_inference(pictures)),
        ]
    )
    return _head(path, body.headers, len(body.content)) + body.content


def _head(path: str, headers: Mapping[str, str], length: int) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {length}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()
