"""The files of a multipart form, one after the other as they arrive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from time import perf_counter
from typing import NamedTuple

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from app.errors import MalformedUploadError, TooManyFieldsError

_MOST_HEADERS = 8
"""Of a part; three have a meaning."""
_SLICE_BYTES = 16_384
_SLICE_SECONDS = 0.005
"""After which others have their turn: a body may be made so that each of its bytes takes long."""


class FormFile(NamedTuple):
    """A part of the form."""

    name: str
    """As the client calls the file; "" where it does not say."""
    data: bytes


class FormLimits(NamedTuple):
    """How much a form may hold."""

    file_bytes: int
    """Of each part that is kept; the rest of it is dropped."""
    other_fields: int
    """Parts that are skipped."""
    header_bytes: int
    """Of each header of a part."""


async def form_files(
    chunks: AsyncIterable[bytes], boundary: bytes, field: str, limits: FormLimits
) -> AsyncIterator[FormFile]:
    """Yield the parts named `field`, each as soon as it is complete. The other parts are skipped.

    Raises:
        MalformedUploadError: The body breaks off or is not well-formed.
        TooManyFieldsError: There are more other parts than may be.
    """
    parts = _Parts(field.encode(), limits)
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": parts.on_part_begin,
                "on_header_field": parts.on_header_field,
                "on_header_value": parts.on_header_value,
                "on_header_end": parts.on_header_end,
                "on_part_data": parts.on_part_data,
                "on_part_end": parts.on_part_end,
                "on_end": parts.on_end,
            },
            max_header_count=_MOST_HEADERS,
            max_header_size=limits.header_bytes,
        )
        async for piece in _slices(chunks):
            parser.write(piece)
            while parts.complete:
                yield parts.complete.pop(0)
    except FormParserError as error:
        raise MalformedUploadError(
            f"The multipart body is malformed ({error}); send it again."
        ) from error
    if not boundary or not parts.ended:
        raise MalformedUploadError("The multipart body breaks off; send it again as a whole.")


async def _slices(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Yield the chunks in small pieces, and let others have their turn between them."""
    async for chunk in chunks:
        began = perf_counter()
        for start in range(0, len(chunk), _SLICE_BYTES):
            if perf_counter() - began > _SLICE_SECONDS:
                await asyncio.sleep(0)
                began = perf_counter()
            yield chunk[start : start + _SLICE_BYTES]


class _Parts:
    """Keeps the parts named `field` while a multipart body is parsed."""

    def __init__(self, field: bytes, limits: FormLimits) -> None:
        self.complete: list[FormFile] = []
        self.ended = False
        self._field = field
        self._limits = limits
        self._other_fields = 0
        self._header_name = b""
        self._header_value = b""
        self._disposition: dict[bytes, bytes] = {}
        self._data = bytearray()

    @property
    def _wanted(self) -> bool:
        return self._disposition.get(b"name") == self._field

    def on_part_begin(self) -> None:
        self._disposition = {}
        self._data = bytearray()

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def on_header_end(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            _, self._disposition = parse_options_header(self._header_value)
        self._header_name = self._header_value = b""

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._wanted:
            room = self._limits.file_bytes - len(self._data)
            self._data += data[start : min(end, start + room)]

    def on_part_end(self) -> None:
        if self._wanted:
            name = self._disposition.get(b"filename", b"").decode(errors="replace")
            self.complete.append(FormFile(name, bytes(self._data)))
            self._data = bytearray()
            return
        self._other_fields += 1
        if self._other_fields > self._limits.other_fields:
            raise TooManyFieldsError(
                f"The form has too many fields; send at most {self._limits.other_fields} beside "
                "the pictures."
            )

    def on_end(self) -> None:
        self.ended = True
