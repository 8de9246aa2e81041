from __future__ import annotations

import subprocess
import sys

import pytest

from app.processes import memory_bytes, resident_bytes

MEGABYTES = 2**20

FAMILY = """
from app.processes import memory_bytes
from multiprocessing import get_context

def hold(own, connection):
    block = b"x" * own
    connection.send(None)
    connection.recv()

block = b"x" * (100 * 2**20)
print(memory_bytes())
for own in (0, 100 * 2**20):
    ours, theirs = get_context("fork").Pipe()
    child = get_context("fork").Process(target=hold, args=(own, theirs))
    child.start()
    ours.recv()
    print(memory_bytes())
    ours.send(None)
    child.join()
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")


def test_this_process_has_memory() -> None:
    assert MEGABYTES < resident_bytes() < 2**40
    assert MEGABYTES < memory_bytes() < 2**40


def test_children_count_and_what_they_share_counts_once() -> None:
    family = [sys.executable, "-c", FAMILY]
    told = subprocess.run(family, check=True, capture_output=True, text=True).stdout
    alone, sharing, owning = (int(line) / MEGABYTES for line in told.split())

    assert 100 < alone < 200
    assert sharing - alone < 50
    assert 80 < owning - alone < 150
