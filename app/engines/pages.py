"""The memory of files that are mapped, but no longer read."""

from __future__ import annotations

import ctypes
import mmap
from pathlib import Path

_MAPS = Path("/proc/self/maps")


def release_pages(path: Path) -> None:
    """Take a file's pages out of this process; one that is read again comes back by itself.

    Does nothing where the system does not list what is mapped (it does on Linux).
    """
    if not _MAPS.exists():
        return
    name = str(path.resolve())
    advise = ctypes.CDLL(None).madvise
    for line in _MAPS.read_text().splitlines():
        *fields, mapped = line.split(maxsplit=5)
        if mapped == name:
            start, end = (int(address, 16) for address in fields[0].split("-"))
            advise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), mmap.MADV_DONTNEED)
