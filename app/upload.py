"""The bytes of the one picture that a request holds."""

from __future__ import annotations

from collections.abc import AsyncIterator

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from app.errors import (
    EmptyUploadError,
    MalformedUploadError,
    MissingFileError,
    TooManyFilesError,
    UnsupportedUploadError,
    UploadTooLargeError,
)

FIELD = "file"

_ENVELOPE_BYTES = 65_536
"""Of a multipart body, beside the file: boundaries, headers and other fields."""

_HOW_TO_SEND = (
    f"send the picture as the field '{FIELD}' of multipart/form-data, or as the body with its "
    "image content type"
)


async def read_upload(request: Request, max_bytes: int) -> bytes:
    """Read the picture file in the request's field `file`, or in its whole body.

    No more than `max_bytes` of it are ever kept, whatever length the request claims.

    Raises:
        UploadError: The request holds no file, more than one, or one that is too large.
        ClientDisconnect: The client is gone.
    """
    content_type = request.headers.get("content-type", "")
    media_type, options = parse_options_header(content_type)
    if media_type == b"multipart/form-data":
        upload = await _read_field(request, options.get(b"boundary", b""), max_bytes)
    elif media_type.startswith(b"image/") or media_type == b"application/octet-stream":
        upload = await _read_body(request, max_bytes)
    elif not content_type:
        raise MissingFileError(f"The request names no content type; {_HOW_TO_SEND}.")
    elif media_type == b"application/x-www-form-urlencoded":
        raise MissingFileError(f"The form is urlencoded, which holds no files; {_HOW_TO_SEND}.")
    else:
        raise UnsupportedUploadError(
            f"The content type {content_type!r} is not supported; {_HOW_TO_SEND}."
        )
    if not upload:
        raise EmptyUploadError("The file is empty; choose one with a picture in it.")
    return upload


async def _read_body(request: Request, max_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in _capped(request, max_bytes, max_bytes):
        body += chunk
    return bytes(body)


async def _read_field(request: Request, boundary: bytes, max_bytes: int) -> bytes:
    form = _Form(max_bytes)
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": form.on_part_begin,
                "on_header_field": form.on_header_field,
                "on_header_value": form.on_header_value,
                "on_header_end": form.on_header_end,
                "on_headers_finished": form.on_headers_finished,
                "on_part_data": form.on_part_data,
                "on_end": form.on_end,
            },
        )
        async for chunk in _capped(request, max_bytes + _ENVELOPE_BYTES, max_bytes):
            parser.write(chunk)
    except FormParserError as error:
        raise MalformedUploadError(
            f"The multipart body is malformed ({error}); send it again."
        ) from error
    if not boundary or not form.ended:
        raise MalformedUploadError("The multipart body breaks off; send it again as a whole.")
    if not form.files:
        raise MissingFileError(f"The form has no field '{FIELD}'; {_HOW_TO_SEND}.")
    if len(form.files) > 1:
        raise TooManyFilesError(
            f"The form has {len(form.files)} fields '{FIELD}'; send one picture a request."
        )
    return bytes(form.files[0])


async def _capped(request: Request, limit: int, max_bytes: int) -> AsyncIterator[bytes]:
    claimed = request.headers.get("content-length", "")
    if claimed.isdecimal() and int(claimed) > limit:
        raise _too_large(max_bytes)
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > limit:
            raise _too_large(max_bytes)
        yield chunk


def _too_large(max_bytes: int) -> UploadTooLargeError:
    return UploadTooLargeError(f"The file is too large; send one of at most {max_bytes} bytes.")


class _Form:
    """Keeps the parts named `file` while a multipart body is parsed, and skips the others."""

    def __init__(self, max_bytes: int) -> None:
        self.files: list[bytearray] = []
        self.ended = False
        self._max_bytes = max_bytes
        self._header_name = b""
        self._header_value = b""
        self._part_name = b""

    def on_part_begin(self) -> None:
        self._part_name = b""

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def on_header_end(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            _, options = parse_options_header(self._header_value)
            self._part_name = options.get(b"name", b"")
        self._header_name = self._header_value = b""

    def on_headers_finished(self) -> None:
        if self._part_name == FIELD.encode():
            self.files.append(bytearray())

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._part_name != FIELD.encode():
            return
        self.files[-1] += data[start:end]
        if len(self.files[-1]) > self._max_bytes:
            raise _too_large(self._max_bytes)

    def on_end(self) -> None:
        self.ended = True
