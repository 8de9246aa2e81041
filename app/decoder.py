"""Decoding off the event loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import NamedTuple

from PIL import Image

from app.errors import OverloadedError
from app.images import DecodedImage, decode_image


class Decoding(NamedTuple):
    """A decoded picture and how long that took."""

    image: DecodedImage
    queue_ms: float
    """Until a thread was free."""
    decode_ms: float


class Decoder:
    """A pool of threads that decode pictures, each on its own."""

    def __init__(
        self, size: tuple[int, int], *, max_pixels: int, threads: int, max_queue: int
    ) -> None:
        """Prepare to decode to `size` (height, width), as `decode_image` does."""
        self._size = size
        self._max_pixels = max_pixels
        self._max_pending = threads + max_queue
        self._pending = 0
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decoder")
        self._pool.submit(Image.init)  # else the first picture waits for Pillow's plugins

    async def decode(self, data: bytes) -> Decoding:
        """Decode one picture; one that is cancelled before its turn is skipped.

        Raises:
            ImageError: The bytes are not a picture that can be decoded.
            OverloadedError: `max_queue` pictures are waiting for a thread.
        """
        if self._pending >= self._max_pending:
            raise OverloadedError("Too many pictures are waiting; try again in a moment.")
        self._pending += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, self._decode, data, perf_counter())
        finally:
            self._pending -= 1

    def close(self) -> None:
        """Return once the pictures that were accepted are decoded."""
        self._pool.shutdown()

    def _decode(self, data: bytes, since: float) -> Decoding:
        start = perf_counter()
        image = decode_image(data, self._size, self._max_pixels)
        return Decoding(image, (start - since) * 1e3, (perf_counter() - start) * 1e3)
