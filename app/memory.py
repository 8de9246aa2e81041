"""The memory of what is used no more, in glibc; elsewhere, nothing here does anything."""

from __future__ import annotations

import ctypes

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of malloc.h
_LARGE_BYTES = 2**20


def return_large_blocks() -> None:
    """Let uploads and pictures of a MiB and more go back to the system as soon as they are freed.

    Once one of up to 32 MiB was freed, glibc would keep those that come after it, with all that is
    free between them.
    """
    adjust = getattr(ctypes.CDLL(None), "mallopt", None)
    if adjust is not None:
        adjust(_MMAP_THRESHOLD, _LARGE_BYTES)


def return_freed_memory() -> None:
    """Give what was freed back to the system.

    glibc keeps it in the arena of the thread that asked for it, where other threads do not look.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
