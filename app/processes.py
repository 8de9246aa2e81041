"""What the system tells of processes."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")
_SHARE = re.compile(r"^Pss:\s+(\d+) kB$", re.MULTILINE)


def resident_bytes() -> int:
    """How much memory this process has resident; 0 where the system does not tell."""
    told = _told(_PROC / "self" / "statm").split()
    return int(told[1]) * os.sysconf("SC_PAGESIZE") if told else 0


def memory_bytes() -> int:
    """How much memory this process and all that it started have; what some share counts once.

    0 where the system does not tell. Takes milliseconds a process, most of them in the system.
    """
    return sum(map(_share_bytes, _family(os.getpid())))


def _share_bytes(process: int) -> int:
    share = _SHARE.search(_told(_PROC / str(process) / "smaps_rollup"))
    return int(share[1]) * 1024 if share else 0


def _family(process: int) -> Iterator[int]:
    yield process
    for child in _children(process):
        yield from _family(child)


def _children(process: int) -> list[int]:
    try:
        tasks = list((_PROC / str(process) / "task").iterdir())
    except OSError:  # as below
        return []
    return [int(child) for task in tasks for child in _told(task / "children").split()]


def _told(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:  # the process or its thread has ended, or this is not Linux
        return ""


def fate_of(code: int) -> str:
    """Return how a process ended that has this exit code, or, below 0, met this signal."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:  # one of real time
        return f"signal {-code}"


def ended_loading(code: int) -> str:
    """Return the sentence about a process that ended like this while it loaded a model."""
    if code == -signal.SIGKILL:  # by hand, or by the system for want of memory
        return "What loads the model was killed; give it more memory, or set ALEXNET_THREADS lower."
    return f"The model ends what loads it ({fate_of(code)}); export it again."
