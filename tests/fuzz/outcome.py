"""What a decoder makes of a file, and that it is nothing but what is documented."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress

import numpy as np

from app.bounds import is_bounded
from app.confinement import EndedError
from app.heic import is_heic
from app.images import MAX_SECONDS, DecodedImage, ImageError, decode_here, decode_image
from app.source import Source, UnusualError

SIZE = (32, 24)
MAX_PIXELS = 1_000_000
DECODED = "decoded"
ENDED = "ended its process"
"""Which a client is told as a BrokenImageError."""
KINDS = {
    DECODED: "decoded",
    "BrokenImageError": "broken",
    ENDED: ENDED,
    "UnsupportedImageError": "unsupported",
    "ImageTooLargeError": "too large",
}
"""All outcomes that there may be, in words."""

Decode = Callable[[bytes, tuple[int, int], int], DecodedImage]


def outcome_of(data: bytes, decode: Decode) -> str:
    """Return one of KINDS.

    Raises:
        Exception: Any other, which is a finding.
    """
    try:
        decoded = decode(data, SIZE, MAX_PIXELS)
    except ImageError as error:
        _check_message(str(error))
        kind = ENDED if isinstance(error.__cause__, EndedError) else type(error).__name__
        assert kind in KINDS
        return kind
    assert decoded.pixels.shape == (*SIZE, 3)
    assert decoded.pixels.dtype == np.uint8
    assert 0 < decoded.width * decoded.height <= MAX_PIXELS
    return DECODED


def _check_message(message: str) -> None:
    assert message.isascii()
    assert message.isprintable()
    assert len(message) < 400


def decode_with_coverage(data: bytes, size: tuple[int, int], max_pixels: int) -> DecodedImage:
    """Decode in this process what Pillow reads in Python, wherever the service would.

    HEIC is read in C, which has crashed: it is decoded as the service does.
    """
    if is_heic(data):
        return decode_image(data, size, max_pixels)
    if is_bounded(data):
        with suppress(UnusualError):
            return decode_here(Source(data, MAX_SECONDS), size, max_pixels)
    return decode_here(io.BytesIO(data), size, max_pixels)
