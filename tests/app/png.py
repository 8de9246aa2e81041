"""PNG files that Pillow does not write: 16 bits a channel, and interlaced."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_COLOR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_ADAM7 = [
    (0, 0, 8, 8),
    (0, 4, 8, 8),
    (4, 0, 8, 4),
    (0, 2, 4, 4),
    (2, 0, 4, 2),
    (0, 1, 2, 2),
    (1, 0, 2, 1),
]
"""Of each pass: its first row and column, and its steps down and to the right."""


def png_file(pixels: NDArray[np.uint8] | NDArray[np.uint16], *, interlaced: bool = False) -> bytes:
    """Return the file of pixels of shape (height, width, channels)."""
    height, width, channels = pixels.shape
    passes = _ADAM7 if interlaced else [(0, 0, 1, 1)]
    rows = b"".join(
        b"\x00" + row.astype(row.dtype.newbyteorder(">")).tobytes()
        for top, left, down, right in passes
        for row in pixels[top::down, left::right]
    )
    header = struct.pack(
        ">2I5B", width, height, 8 * pixels.itemsize, _COLOR_TYPES[channels], 0, 0, interlaced
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        png_chunk(kind, content)
        for kind, content in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    )


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk with its length and checksum."""
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
