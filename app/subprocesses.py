"""Processes that run a module of this project beside the service."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[1]


def start_module(name: str, *descriptors: int) -> subprocess.Popen[bytes]:
    """Run a module, which is told the numbers of the files that it is given, and no secrets.

    Raises:
        OSError: The system gives no process.
    """
    secrets = {variable for variable in os.environ if variable.startswith("ALEXNET_")}
    others = {variable: os.environ[variable] for variable in os.environ.keys() - secrets}
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", name, *map(str, descriptors)],
        cwd=_ROOT,
        # NumPy would start a thread a core, each for 40 MB of what the process may have; and a
        # process with threads is not to be forked.
        env={**others, "OPENBLAS_NUM_THREADS": "1"},
        pass_fds=descriptors,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # where libraries in C complain of pictures
    )
