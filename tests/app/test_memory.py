from __future__ import annotations

import platform
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from app.memory import return_freed_memory

PIECE = bytes(100_000)  # below what glibc maps by itself
SIZE = 100 * 2**20

COUNT = """
import ctypes
from app.memory import return_large_blocks

class Told(ctypes.Structure):
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]

mallinfo = ctypes.CDLL(None).mallinfo2
mallinfo.restype = Told
{}
bytes(8 * 2**20)  # freed at once
before = mallinfo().hblks
upload = bytes(8 * 2**20)
print(mallinfo().hblks - before)
"""

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


def blocks_of_their_own(preparation: str) -> int:
    program = [sys.executable, "-c", COUNT.format(preparation)]
    return int(subprocess.run(program, check=True, capture_output=True, text=True).stdout)


def test_uploads_have_memory_of_their_own() -> None:
    assert blocks_of_their_own("") == 0
    assert blocks_of_their_own("return_large_blocks()") == 1
