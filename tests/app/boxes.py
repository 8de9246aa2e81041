"""AVIF and HEIC files whose items are other than an encoder made them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator


def with_items(data: bytes, replaced: Callable[[bytes], bytes | None]) -> bytes:
    """Return a file in which items have other contents.

    Args:
        data: A file whose items each have one extent, as Pillow and pillow_heif write them.
        replaced: Given what an item holds, returns what it is to hold, or None to leave it.
    """
    file = bytearray(data)
    added: dict[bytes, int] = {}
    for place, base in _extents(data):
        offset, length = struct.unpack_from(">2L", data, place)
        content = replaced(data[base + offset : base + offset + length])
        if content is None:
            continue
        if content not in added:  # equal ones share their bytes
            added[content] = len(file) + 8
            file += struct.pack(">L4s", 8 + len(content), b"mdat") + content
        struct.pack_into(">2L", file, place, added[content] - base, len(content))
    return bytes(file)


def _extents(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each item's offset and length are written, and what the offset counts from."""
    place = data.index(b"iloc") + 4
    version, sizes, count = struct.unpack_from(">B3xHH", data, place)
    assert version == 0
    base_length = {0x4400: 0, 0x4440: 4}[sizes]
    place += 8
    for _ in range(count):
        place += 4
        base = int.from_bytes(data[place : place + base_length])
        place += base_length
        (extents,) = struct.unpack_from(">H", data, place)
        assert extents == 1
        yield place + 2, base
        place += 10
