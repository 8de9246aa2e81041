"""Whether a file may take long to decode, as far as a glance tells."""

from __future__ import annotations

import struct

from app.bounds import is_bounded

_HEAVY_BYTES = 2**20
_HEAVY_PIXELS = 4_000_000
_PNG, _GIF = b"\x89PNG\r\n\x1a\n", b"GIF8"


def is_heavy(data: bytes) -> bool:
    """Return whether others should not wait until a file is decoded."""
    large = len(data) > _HEAVY_BYTES or _announced_pixels(data) > _HEAVY_PIXELS
    return large or not is_bounded(data)


def _announced_pixels(data: bytes) -> int:
    """Return what the header says of files that may announce millions in few bytes; else 0."""
    if data.startswith(_PNG) and len(data) >= 24:
        width, height = struct.unpack_from(">II", data, 16)
    elif data.startswith(_GIF) and len(data) >= 10:
        width, height = struct.unpack_from("<HH", data, 6)
    else:
        return 0
    return int(width * height)
