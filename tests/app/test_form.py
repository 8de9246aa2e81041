from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.errors import MalformedUploadError, TooManyFieldsError
from app.form import FormFile, FormLimits, form_files

pytestmark = pytest.mark.anyio

BODY = (
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n'
    b"Content-Type: image/jpeg\r\n\r\nfirst\r\n"
    b'--x\r\nContent-Disposition: form-data; name="other"\r\n\r\nskipped\r\n'
    b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nsecond one\r\n'
    b"--x--\r\n"
)
LIMITS = FormLimits(file_bytes=6, other_fields=1, header_bytes=100)


async def in_pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def read(body: bytes, size: int = 1000, boundary: bytes = b"x") -> list[FormFile]:
    return [file async for file in form_files(in_pieces(body, size), boundary, "file", LIMITS)]


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_fields_of_the_name_are_read_as_far_as_wanted(size: int) -> None:
    assert await read(BODY, size) == [FormFile("a.jpg", b"first"), FormFile("", b"second")]


async def test_file_comes_before_the_next_has_arrived() -> None:
    async def arriving() -> AsyncIterator[bytes]:
        yield BODY[: BODY.index(b'name="other"')]
        raise ConnectionError

    files = form_files(arriving(), b"x", "file", LIMITS)

    assert await anext(files) == FormFile("a.jpg", b"first")
    with pytest.raises(ConnectionError):
        await anext(files)


async def test_file_name_is_read_as_browsers_write_it() -> None:
    (file, _) = await read(BODY.replace(b"a.jpg", "Mièze 猫.jpg".encode()))

    assert file.name == "Mièze 猫.jpg"


@pytest.mark.parametrize("end", [len(BODY) - 6, len(BODY) // 2, 0])
async def test_body_that_breaks_off_is_malformed(end: int) -> None:
    with pytest.raises(MalformedUploadError, match="send it again as a whole"):
        await read(BODY[:end])


@pytest.mark.parametrize("boundary", [b"", b"y"])
async def test_body_without_its_boundary_is_malformed(boundary: bytes) -> None:
    with pytest.raises(MalformedUploadError, match="send it again"):
        await read(BODY, boundary=boundary)


async def test_other_fields_are_counted() -> None:
    other = b'--x\r\nContent-Disposition: form-data; name="other"\r\n\r\n\r\n'

    with pytest.raises(TooManyFieldsError, match="at most 1 beside the pictures"):
        await read(other + BODY)


@pytest.mark.parametrize("size", [7, 1000])
@pytest.mark.parametrize("header", [b"X-Long: " + bytes(100), b"X: 1\r\n" * 7 + b"X: 1"])
async def test_headers_of_a_part_are_bounded(header: bytes, size: int) -> None:
    long = BODY.replace(b"Content-Type: image/jpeg", header)

    with pytest.raises(MalformedUploadError, match="Maximum header"):
        await read(long, size)
