from __future__ import annotations

import os
import subprocess
import sys

import pytest

from app.processes import is_running, resident_bytes


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
def test_this_process_has_memory() -> None:
    assert 2**20 < resident_bytes() < 2**40


def test_a_process_runs_until_it_has_ended() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()

    assert is_running(os.getpid())
    assert not is_running(process.pid)
