"""How many processor cores this process may use."""

from __future__ import annotations

import os
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_QUOTA_FILES = (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"))
"""Of version 2 and of version 1: "quota period" in microseconds; "max" or -1 stands for none."""


def usable_cores(cgroups: Path = _CGROUPS) -> int:
    """Return the cores that affinity and the container's quota leave, at least 1.

    Args:
        cgroups: The folder in which the system tells of the container's limits.
    """
    quota = next(filter(None, (_quota(cgroups, files) for files in _QUOTA_FILES)), None)
    return _affinity() if quota is None else max(1, min(_affinity(), int(quota)))


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quota(cgroups: Path, files: tuple[str, ...]) -> float | None:
    try:
        quota, period = " ".join((cgroups / file).read_text() for file in files).split()
    except (OSError, ValueError):  # no cgroup of this version here
        return None
    return None if quota in ("max", "-1") else int(quota) / int(period)
