"""What a decoder makes of a file, and that it is nothing but what is documented."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress

import numpy as np

from app.bounds import is_bounded
from app.images import MAX_SECONDS, DecodedImage, ImageError, decode_here
from app.source import Source, UnusualError

SIZE = (32, 24)
MAX_PIXELS = 1_000_000
DECODED = "decoded"

Decode = Callable[[bytes, tuple[int, int], int], DecodedImage]


def outcome_of(data: bytes, decode: Decode) -> str:
    """Return "decoded", or the name of an ImageError.

    Raises:
        Exception: Any other, which is a finding.
    """
    try:
        decoded = decode(data, SIZE, MAX_PIXELS)
    except ImageError as error:
        _check_message(str(error))
        return type(error).__name__
    assert decoded.pixels.shape == (*SIZE, 3)
    assert decoded.pixels.dtype == np.uint8
    assert 0 < decoded.width * decoded.height <= MAX_PIXELS
    return DECODED


def _check_message(message: str) -> None:
    assert message.isascii()
    assert message.isprintable()
    assert len(message) < 400


def decode_in_this_process(data: bytes, size: tuple[int, int], max_pixels: int) -> DecodedImage:
    """Decode as threads do, and where they would not, as the other processes do."""
    if is_bounded(data):
        with suppress(UnusualError):
            return decode_here(Source(data, MAX_SECONDS), size, max_pixels)
    return decode_here(io.BytesIO(data), size, max_pixels)
