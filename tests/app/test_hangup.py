"""SIGHUP from a person, and from a terminal that is closed."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import asyncio, fcntl, sys, termios
from pathlib import Path
from app.hangup import handle_hangup

async def main():
    told = asyncio.Queue()
    handle_hangup(lambda: told.put_nowait("reload"), lambda: told.put_nowait("end"))
    log = Path(sys.argv[1])
    log.write_text("ready\\n")
    while True:
        what = await told.get()
        with log.open("a") as file:
            file.write(what + "\\n")
        if what == "end" or sys.argv[2:] == ["once"]:
            return

if sys.argv[2:] != ["once"]:
    fcntl.ioctl(2, termios.TIOCSCTTY, 0)
asyncio.run(main())
"""


def lines_of(log: Path, count: int, process: subprocess.Popen[bytes]) -> list[str]:
    """Wait until so many are written."""
    while len(lines := log.read_text().split() if log.exists() else []) < count:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.05)
    return lines


def test_a_closed_terminal_ends_the_service_and_a_person_does_not(tmp_path: Path) -> None:
    log = tmp_path / "log"
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(log)], stderr=slave, start_new_session=True
    )
    os.close(slave)

    lines_of(log, 1, process)
    process.send_signal(signal.SIGHUP)
    lines_of(log, 2, process)
    os.close(master)

    assert process.wait(60) == 0
    assert log.read_text().split() == ["ready", "reload", "end"]


def test_without_a_terminal_the_model_is_changed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(log), "once"], stderr=subprocess.DEVNULL
    )

    lines_of(log, 1, process)
    process.send_signal(signal.SIGHUP)

    assert process.wait(60) == 0
    assert log.read_text().split() == ["ready", "reload"]
