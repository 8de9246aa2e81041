"""How many processor cores this process may use."""

from __future__ import annotations

import os
from pathlib import Path

_CGROUP_CPU_MAX = Path("/sys/fs/cgroup/cpu.max")


def usable_cores(cpu_max: Path = _CGROUP_CPU_MAX) -> int:
    """Return the cores that affinity and the container's quota leave, at least 1.

    Args:
        cpu_max: The cgroup's file with "quota period" in microseconds, or "max period".
    """
    quota = _quota(cpu_max)
    return _affinity() if quota is None else max(1, min(_affinity(), quota))


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quota(cpu_max: Path) -> int | None:
    try:
        quota, period = cpu_max.read_text().split()
    except (OSError, ValueError):  # no cgroup v2 here, or not one with a limit
        return None
    return None if quota == "max" else int(quota) // int(period)
