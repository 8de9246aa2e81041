"""Requests that are refused: damaged, or more than the service takes."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Mapping
from random import Random

import httpx

from hardening import bodies
from hardening.bodies import FORM_TYPE, Body
from hardening.reference import Reference
from hardening.trial import Asked, Check, Make, Trial, unexpected

UPLOAD_BYTES = 20 * 2**20
"""Taken of one picture."""
_BATCH_FILES = 64
_FIELDS = 64
_LEAST_SIDE = 8_001
"""Of a square of more pixels than are decoded."""
_JSON_TYPE = {"Content-Type": "application/json"}
_BOMB = gzip.compress(b" " * (UPLOAD_BYTES + 1))


def refused(*statuses: int) -> Check:
    """Return a check for a problem document, or the protocol's error, with one of the statuses."""

    def check(response: httpx.Response) -> str:
        kind = response.headers.get("content-type", "")
        if response.status_code not in statuses or not kind.endswith("json"):
            return unexpected(response)
        answer = response.json()
        told = "error" in answer or answer["status"] == response.status_code
        return "" if told else unexpected(response)

    return check


def truncated(random: Random, reference: Reference) -> Trial:
    """Post a JPEG that breaks off."""
    picture = random.choice(reference.known[:16]).picture
    body = bodies.raw(picture[: random.randrange(1000, len(picture) // 2)])
    path = random.choice(["/predict", "/explain"])
    return Asked("picture that breaks off", path, body, refused(400))


def flipped(random: Random, reference: Reference) -> Trial:
    """Post a picture with a hundred bytes changed, which may be one still."""
    picture = bytearray(random.choice(reference.known).picture)
    for _ in range(100):
        picture[random.randrange(len(picture))] = random.randrange(256)
    is_refused = refused(400, 413, 415)

    def check(response: httpx.Response) -> str:
        return "" if response.is_success else is_refused(response)

    return Asked("changed bytes", "/predict", bodies.raw(bytes(picture)), check)


def noise(random: Random, reference: Reference) -> Trial:
    """Post what is no picture."""
    body = bodies.raw(random.randbytes(random.randrange(1, 100_000)))
    return Asked("no picture", "/predict", body, refused(415))


def empty(random: Random, reference: Reference) -> Trial:
    """Post nothing, as the body or in a form."""
    body = random.choice([bodies.raw(b""), bodies.form("file", [b""])])
    return Asked("nothing", "/predict", body, refused(400))


def broken_form(random: Random, reference: Reference) -> Trial:
    """Post a form without its end."""
    field, path = random.choice([("file", "/predict"), ("files", "/predict/batch")])
    content = bodies.form(field, [reference.known[0].picture]).content
    body = Body(content[: random.randrange(1, len(content) - 10)], FORM_TYPE)
    return Asked("form that breaks off", path, body, refused(400))


def wrong_field(random: Random, reference: Reference) -> Trial:
    """Post a form whose field is called otherwise, or which has it twice."""
    picture = reference.known[0].picture
    body = random.choice([bodies.form("photo", [picture]), bodies.form("file", [picture] * 2)])
    return Asked("wrong form", "/predict", body, refused(422))


def wrong_type(random: Random, reference: Reference) -> Trial:
    """Post a picture as what it is not."""
    body = bodies.raw(reference.known[0].picture, "text/plain")
    path = random.choice(["/predict", "/predict/batch", "/explain"])
    return Asked("wrong content type", path, body, refused(415))


def bad_inference(random: Random, reference: Reference) -> Trial:
    """Send what the Open Inference Protocol does not allow."""
    picture = reference.known[0].picture
    good = bodies.inference([picture]).content
    binary = bodies.binary_inference([picture])
    body = random.choice(
        [
            Body(good[: len(good) // 2], _JSON_TYPE),
            Body(good.replace(b'"image"', b'"sound"'), _JSON_TYPE),
            Body(good.replace(b'"data": ["', b'"data": ["?'), _JSON_TYPE),
            Body(binary.content[:-1000], binary.headers),
            Body(b"[" * 100_000, _JSON_TYPE),
            bodies.inference([random.randbytes(500)[:-1] + b"\0"]),
        ]
    )
    return Asked("bad /v2", reference.infer_path, body, refused(400, 415))


def flood(random: Random, reference: Reference) -> Trial:
    """Send more than is taken, without saying so."""
    body = bodies.raw(bytes(UPLOAD_BYTES + 100_000))
    return Asked("oversized, in chunks", "/predict", body, refused(413), chunked=True)


def vast(random: Random, reference: Reference) -> Trial:
    """Post a PNG whose header announces more pixels than are decoded."""
    body = bodies.raw(_png(random.randrange(_LEAST_SIDE, 2**31)))
    return Asked("too many pixels", "/predict", body, refused(413))


def crowd(random: Random, reference: Reference) -> Trial:
    """Post more files than one request may have."""
    body = bodies.form("files", [b"x"] * (_BATCH_FILES + 1))
    return Asked("too many files", "/predict/batch", body, refused(413))


def many_fields(random: Random, reference: Reference) -> Trial:
    """Post a form with more fields beside the picture than are read."""
    body = bodies.form("other", [b"x"] * (_FIELDS + 1))
    path = random.choice(["/predict", "/predict/batch", "/explain"])
    return Asked("too many fields", path, body, refused(413))


def bomb(random: Random, reference: Reference) -> Trial:
    """Send a body that inflates to more than is taken."""
    headers = {**_JSON_TYPE, "Content-Encoding": "gzip"}
    return Asked("inflates too far", reference.infer_path, Body(_BOMB, headers), refused(413))


KINDS: Mapping[Make, int] = {
    truncated: 10,
    flipped: 10,
    noise: 10,
    empty: 5,
    broken_form: 8,
    wrong_field: 5,
    wrong_type: 5,
    bad_inference: 8,
    flood: 2,
    vast: 6,
    crowd: 4,
    many_fields: 3,
    bomb: 2,
}
"""And how often each comes, in proportion."""


def _png(side: int) -> bytes:
    """Return the file of a square that is announced, and not there."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = [_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(b"")), _chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
