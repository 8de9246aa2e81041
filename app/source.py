"""The bytes of a picture, for a decoder that reads them in pieces."""

from __future__ import annotations

import io
import math
from time import monotonic

_MOST_READS = 50_000
"""Pillow keeps something of each piece of a header, and 20 MiB can be cut into millions."""
LONGEST_HEADER = 2**19
"""Bytes. Of a header that is all numbers, Pillow makes objects in 0.7 microseconds a byte."""
_ALL = -1


class SourceError(Exception):
    """The decoder gets no more of the file.

    * SourceError
      + OverdueError
      + UnusualError
    """


class OverdueError(SourceError):
    """The time to decode the picture is over."""


class UnusualError(SourceError):
    """The file is in more pieces, or its header longer, than cameras and programs write them."""


class Source(io.BytesIO):
    """A file in memory that ends a decoder which takes too long, or too many pieces."""

    def __init__(self, data: bytes, max_seconds: float) -> None:
        super().__init__(data)
        self._deadline = monotonic() + max_seconds
        self._reads_left = _MOST_READS
        self._header_left: float = LONGEST_HEADER

    def read(self, size: int | None = _ALL, /) -> bytes:
        """Read as any file does.

        Raises:
            OverdueError: The time is over.
            UnusualError: The decoder has had its pieces.
        """
        if monotonic() > self._deadline:
            raise OverdueError
        piece = super().read(size)
        self._reads_left -= 1
        if size != _ALL:  # else the decoder is one that takes the file as a whole
            self._header_left -= len(piece)
        if self._reads_left < 0 or self._header_left < 0:
            raise UnusualError
        return piece

    def seconds_left(self) -> float:
        """Return what is left of the time to decode the picture.

        Raises:
            OverdueError: Nothing is.
        """
        if (left := self._deadline - monotonic()) <= 0:
            raise OverdueError
        return left

    def end_header(self) -> None:
        """Let the decoder read as many bytes as it likes from now on."""
        self._header_left = math.inf
