"""What only one process may do at a time."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def locked(path: Path, *, waiting: str | None = None) -> Iterator[None]:
    """Hold the file `path`, made if need be, alone among all processes.

    The lock ends with the process, however that ends; the file stays.

    Args:
        path: In a folder that exists.
        waiting: What to say while another process holds it; by default, nobody waits.

    Raises:
        BlockingIOError: Another process holds it, and nobody waits.
    """
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting is None:
                raise
            print(waiting, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
