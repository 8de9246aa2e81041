"""The bytes of the pictures that a request holds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

from python_multipart.multipart import parse_options_header
from starlette.requests import Request

from app.errors import (
    BatchTooLargeError,
    EmptyUploadError,
    MissingFileError,
    TooManyFilesError,
    UnsupportedUploadError,
    UploadError,
    UploadTooLargeError,
)
from app.form import FormLimits, form_files
from app.settings import Settings

FIELD = "file"
BATCH_FIELD = "files"

_FORM = b"multipart/form-data"
_ENVELOPE_BYTES = 65_536
_LONGEST_CONTENT_TYPE = 1024
"""Of a multipart body, beside the file: boundaries, headers and other fields."""

_HOW_TO_SEND = (
    f"send the picture as the field '{FIELD}' of multipart/form-data, or as the body with its "
    "image content type"
)
_HOW_TO_SEND_SEVERAL = f"send each picture as a field '{BATCH_FIELD}' of multipart/form-data"


class BatchFile(NamedTuple):
    """One file of several."""

    name: str
    """As the client calls it; "" where it does not say."""
    upload: bytes | UploadError
    """The file's bytes, or why they are not read."""


async def read_upload(request: Request, settings: Settings) -> bytes:
    """Read the picture file in the request's field `file`, or in its whole body.

    No more than `max_upload_bytes` of it are ever kept, whatever length the request claims.

    Raises:
        UploadError: The request holds no file, more than one, or one that is too large.
        ClientDisconnect: The client is gone.
    """
    max_bytes = settings.max_upload_bytes
    media_type, boundary = _content_type(request, _HOW_TO_SEND)
    if media_type == _FORM:
        upload = await _read_field(request, boundary, settings)
    elif media_type.startswith(b"image/") or media_type == b"application/octet-stream":
        upload = await _read_body(request, max_bytes)
    else:
        raise _unsupported(media_type, _HOW_TO_SEND)
    if error := _wrong_size(upload, max_bytes):
        raise error
    return upload


async def read_batch(request: Request, settings: Settings) -> AsyncIterator[BatchFile]:
    """Yield the files in the request's fields `files`, each as soon as it has arrived.

    Raises:
        UploadError: The request holds no file, too many, or too much.
        ClientDisconnect: The client is gone.
    """
    media_type, boundary = _content_type(request, _HOW_TO_SEND_SEVERAL)
    if media_type != _FORM:
        raise _unsupported(media_type, _HOW_TO_SEND_SEVERAL)
    too_large = BatchTooLargeError(
        f"The files are too large together; send at most {settings.max_batch_bytes} bytes a "
        "request."
    )
    chunks = _capped(request, settings.max_batch_bytes, too_large)
    count = 0
    async for file in form_files(chunks, boundary, BATCH_FIELD, _form_limits(settings)):
        count += 1
        if count > settings.max_batch_files:
            raise BatchTooLargeError(
                f"There are too many files; send at most {settings.max_batch_files} a request."
            )
        yield BatchFile(file.name, _wrong_size(file.data, settings.max_upload_bytes) or file.data)
    if not count:
        raise MissingFileError(f"The form has no field '{BATCH_FIELD}'; {_HOW_TO_SEND_SEVERAL}.")


def claims_more(request: Request, limit: int) -> bool:
    """Whether the request says that its body has more bytes than `limit`."""
    digits = request.headers.get("content-length", "").lstrip("0")  # int() takes 4,300 at most
    return digits.isdecimal() and (len(digits) > len(str(limit)) or int(digits) > limit)


def _content_type(request: Request, how_to_send: str) -> tuple[bytes, bytes]:
    """Return the media type and the boundary."""
    content_type = request.headers.get("content-type", "")
    if len(content_type) > _LONGEST_CONTENT_TYPE:
        raise UnsupportedUploadError(
            f"The header Content-Type is too long; send at most {_LONGEST_CONTENT_TYPE} characters."
        )
    media_type, options = parse_options_header(content_type)
    if not media_type:
        raise MissingFileError(f"The request names no content type; {how_to_send}.")
    if media_type == b"application/x-www-form-urlencoded":
        raise MissingFileError(f"The form is urlencoded, which holds no files; {how_to_send}.")
    return media_type, options.get(b"boundary", b"")


def _unsupported(media_type: bytes, how_to_send: str) -> UnsupportedUploadError:
    name = media_type.decode(errors="replace")
    return UnsupportedUploadError(f"The content type {name!r} is not supported; {how_to_send}.")


def _wrong_size(upload: bytes, max_bytes: int) -> UploadError | None:
    if not upload:
        return EmptyUploadError("The file is empty; choose one with a picture in it.")
    return _too_large(max_bytes) if len(upload) > max_bytes else None


def _too_large(max_bytes: int) -> UploadTooLargeError:
    return UploadTooLargeError(f"The file is too large; send one of at most {max_bytes} bytes.")


async def _read_body(request: Request, max_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in _capped(request, max_bytes, _too_large(max_bytes)):
        body += chunk
    return bytes(body)


async def _read_field(request: Request, boundary: bytes, settings: Settings) -> bytes:
    max_bytes = settings.max_upload_bytes
    chunks = _capped(request, max_bytes + _ENVELOPE_BYTES, _too_large(max_bytes))
    upload: bytes | None = None
    async for file in form_files(chunks, boundary, FIELD, _form_limits(settings)):
        if upload is not None:
            raise TooManyFilesError(
                f"The form has several fields '{FIELD}'; send one picture a request."
            )
        upload = file.data
    if upload is None:
        raise MissingFileError(f"The form has no field '{FIELD}'; {_HOW_TO_SEND}.")
    return upload


def _form_limits(settings: Settings) -> FormLimits:
    return FormLimits(
        file_bytes=settings.max_upload_bytes + 1,  # enough to see that there are too many
        other_fields=settings.max_form_fields,
        header_bytes=settings.max_part_header_bytes,
    )


async def _capped(request: Request, limit: int, too_large: UploadError) -> AsyncIterator[bytes]:
    if claims_more(request, limit):
        raise too_large
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > limit:
            raise too_large
        yield chunk
