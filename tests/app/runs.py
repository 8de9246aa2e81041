"""BMP files that Pillow does not write: run-length encoded."""

from __future__ import annotations


def bmp_with_runs(width: int, height: int, runs: bytes) -> bytes:
    """Return a BMP in 256 colors, whose pixels are run-length encoded."""
    palette = bytes(range(255)) * 4 + b"\x01\x02\x03\x00"
    header = [40, width, height, 1 | 8 << 16, 1, len(runs), 0, 0, 256, 0]
    offset = 14 + 40 + len(palette)
    start = b"BM" + b"".join(each.to_bytes(4, "little") for each in [offset + len(runs), 0, offset])
    return start + b"".join(each.to_bytes(4, "little") for each in header) + palette + runs
