"""What the system tells of processes."""

from __future__ import annotations

import os
import signal
from pathlib import Path

_STATM = Path("/proc/self/statm")


def resident_bytes() -> int:
    """How much memory this process has resident; 0 where the system does not tell."""
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
    except OSError:  # not Linux
        return 0


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
