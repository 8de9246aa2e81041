"""TIFF files that Pillow does not write."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Field(NamedTuple):
    """What a tag says: a format of `struct` for one value, and the values."""

    kind: str
    values: Sequence[int]


_TYPES = {"H": 3, "L": 4, "2L": 5}
START = 8
"""Where the data of a file begin."""


def tiff_file(data: bytes, fields: Mapping[int, Field]) -> bytes:
    """Return a file in which data, from byte 8 on, precede the one directory."""
    file = bytearray(b"II*\x00" + bytes(4) + data + bytes(len(data) % 2))
    entries = []
    for tag, field in sorted(fields.items()):
        values = struct.pack(f"<{len(field.values)}{field.kind[-1]}", *field.values)
        count = len(values) // struct.calcsize("<" + field.kind)
        if len(values) > 4:
            place = len(file)
            file += values + bytes(len(values) % 2)
            values = struct.pack("<L", place)
        entries.append(struct.pack("<HHL", tag, _TYPES[field.kind], count) + values.ljust(4, b"\0"))
    file[4:8] = struct.pack("<L", len(file))
    return bytes(file) + struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)


def rgb_fields(width: int, height: int, compression: int) -> dict[int, Field]:
    """Return the fields that every picture in RGB has, but for where its pixels are."""
    return {
        256: Field("L", [width]),
        257: Field("L", [height]),
        258: Field("H", [8, 8, 8]),
        259: Field("H", [compression]),
        262: Field("H", [2]),
        277: Field("H", [3]),
    }
