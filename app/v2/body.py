"""The body of a request, as far as it is asked for."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.types import Scope

from app.errors import UnsupportedUploadError, UploadTooLargeError
from app.overload import hold
from app.upload import claims_more
from app.v2.errors import InvalidInferenceError

_INFLATED_BYTES = 262_144
"""Of one step of inflating, whatever the chunk that came."""

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class Body:
    """The bytes of a request, inflated if they come as gzip or deflate.

    No more than `max_bytes` are ever kept, whatever length the request claims or inflates to.
    """

    def __init__(self, request: Request, max_bytes: int) -> None:
        """Read nothing yet.

        Raises:
            UploadTooLargeError: The request claims more than `max_bytes`.
            UnsupportedUploadError: It is encoded in another way.
        """
        if claims_more(request, max_bytes):
            raise _too_large(max_bytes)
        encoding = request.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("identity", "gzip", "deflate"):
            raise UnsupportedUploadError(
                f"The content encoding {encoding!r} is not supported; send gzip, deflate or none."
            )
        self._chunks = _capped(request.stream(), max_bytes)
        if encoding != "identity":
            self._chunks = _capped(_inflated(self._chunks, request.scope), max_bytes)
        self._kept = bytearray()

    async def read(self, size: int) -> bytes:
        """Return the next `size` bytes.

        Raises:
            InvalidInferenceError: The body ends before, or cannot be inflated.
            UploadTooLargeError: There are more than `max_bytes`.
            OverloadedError: Inflated, they are more than the service may hold now.
            ClientDisconnect: The client is gone.
        """
        while len(self._kept) < size:
            chunk = await anext(self._chunks, None)
            if chunk is None:
                raise InvalidInferenceError(
                    f"The body ends {size - len(self._kept)} bytes before the end of what "
                    "Inference-Header-Content-Length and binary_data_size announce; send it whole."
                )
            self._kept += chunk
        taken = bytes(self._kept[:size])
        del self._kept[:size]
        return taken

    async def rest(self) -> bytes:
        """Return all that has not been read; raise what `read` raises."""
        async for chunk in self._chunks:
            self._kept += chunk
        return await self.read(len(self._kept))


async def _capped(chunks: AsyncIterator[bytes], max_bytes: int) -> AsyncIterator[bytes]:
    received = 0
    async for chunk in chunks:
        received += len(chunk)
        if received > max_bytes:
            raise _too_large(max_bytes)
        yield chunk


async def _inflated(chunks: AsyncIterator[bytes], scope: Scope) -> AsyncIterator[bytes]:
    """Yield what the chunks inflate to, and have that counted among the bytes held in their place.

    Raises:
        InvalidInferenceError: They cannot be inflated.
        OverloadedError: All requests together hold too much.
    """
    inflater = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        async for chunk in chunks:
            if inflater.eof and chunk:
                raise _goes_on()
            hold(scope, -len(chunk))
            while chunk:
                inflated = inflater.decompress(chunk, _INFLATED_BYTES)
                hold(scope, len(inflated))
                yield inflated
                await asyncio.sleep(0)  # little may inflate to much: others have their turn
                chunk = inflater.unconsumed_tail
            if inflater.unused_data:
                raise _goes_on()
        yield inflater.flush()
    except zlib.error as error:
        raise InvalidInferenceError(
            f"The compressed body is damaged ({error}); send it again, or not compressed."
        ) from error
    if not inflater.eof:
        raise InvalidInferenceError("The compressed body breaks off; send it again as a whole.")


def _goes_on() -> InvalidInferenceError:
    return InvalidInferenceError(
        "The compressed body goes on after its end; send it as one gzip or zlib stream."
    )


def _too_large(max_bytes: int) -> UploadTooLargeError:
    return UploadTooLargeError(
        f"The body is too large; send at most {max_bytes} bytes a request, counted uncompressed."
    )
