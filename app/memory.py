"""The memory of what is used no more."""

from __future__ import annotations

import ctypes


def return_freed_memory() -> None:
    """Give what was freed back to the system; does nothing where C's library is not glibc.

    glibc keeps it in the arena of the thread that asked for it, where other threads do not look.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
