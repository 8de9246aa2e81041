"""What only one process may do at a time."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from training.errors import RunError


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


@contextlib.contextmanager
def alone(path: Path, *, what: str, option: str) -> Iterator[None]:
    """Keep other commands out of the folder of the lock `path`, which is made if need be.

    Args:
        path: Of the lock.
        what: Another one that writes there is.
        option: The one that names the folder.

    Raises:
        RunError: Another one is writing to the folder.
    """
    folder = path.parent
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locked(path))
        except BlockingIOError as error:
            raise RunError(
                f"Another {what} is writing to {folder}; wait until it ends, or name another "
                f"folder with {option}."
            ) from error
        yield
