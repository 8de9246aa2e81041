from __future__ import annotations

import platform
import threading
from pathlib import Path

import pytest

from app.memory import return_freed_memory

PIECE = bytes(100_000)  # below what glibc maps by itself
SIZE = 100 * 2**20

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps it")


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_memory_that_a_thread_freed_leaves_the_process() -> None:
    def use_memory() -> None:
        pieces = [bytearray(PIECE) for _ in range(SIZE // len(PIECE))]
        pieces.append(bytearray(PIECE))
        last.append(pieces.pop())  # which keeps what is below it

    last: list[bytearray] = []
    thread = threading.Thread(target=use_memory)
    thread.start()
    thread.join()
    before = resident_bytes()

    return_freed_memory()

    assert before - resident_bytes() > SIZE / 2
