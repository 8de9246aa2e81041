"""Files and folders that are whole or absent, however the process or the machine ends.

They are written aside, in a hidden folder of the same file system, flushed to the disk and then
renamed: without the flush, a power cut could leave a file that has its name and no content. What
a killed process left aside is removed by the next one that writes to the same folder.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from training.errors import StorageError
from training.lock import locked

_ASIDE = ".unfinished-"
_LOCK = ".lock"
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path to write to, of the same name; rename it to `path` once all is written.

    Raises:
        StorageError: There is no room; what was at `path` is still there.
    """
    with _aside(path) as aside:
        yield aside
        _flush(aside)
        aside.replace(path)
        _flush(path.parent)


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """The same for a folder, which takes the place of what is at `path` already."""
    with _aside(path) as aside:
        aside.mkdir()
        yield aside
        for written in (*aside.rglob("*"), aside):
            _flush(written)
        if path.exists():
            path.rename(aside.with_name(f"{path.name}-before"))
        aside.rename(path)
        _flush(path.parent)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all."""
    with whole_file(path) as aside:
        aside.write_text(text, encoding="utf-8")


def require_room(path: Path, size: int) -> None:
    """Raise StorageError unless the disk of `path` has room for `size` bytes more.

    Said before the work, and where a write that fails would not say it clearly.
    """
    folder = next(folder for folder in path.absolute().parents if folder.exists())
    free = shutil.disk_usage(folder).free
    if free < size:
        raise StorageError(
            f"{path} takes {size / 1e6:,.1f} MB, and {free / 1e6:,.1f} MB are free there; "
            "make room, and run the command again."
        )


@contextlib.contextmanager
def no_room_told(path: Path) -> Iterator[None]:
    """Raise StorageError where a write inside, for the sake of `path`, finds no room."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise StorageError(
            f"{path} cannot be written ({os.strerror(error.errno)}); make room, and run the "
            "command again."
        ) from error


@contextlib.contextmanager
def _aside(path: Path) -> Iterator[Path]:
    with no_room_told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path.parent)
        with contextlib.ExitStack() as stack:
            yield _make_folder(path.parent, stack) / path.name


def _make_folder(parent: Path, stack: contextlib.ExitStack) -> Path:
    """Make a folder that is locked until `stack` ends, and removed then."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_ASIDE, dir=parent))
        # Before it is locked, another process may take it for abandoned.
        with contextlib.suppress(FileNotFoundError, BlockingIOError):
            stack.enter_context(locked(folder / _LOCK))
            if (folder / _LOCK).exists():
                stack.callback(shutil.rmtree, folder, ignore_errors=True)
                return folder


def _remove_abandoned(parent: Path) -> None:
    for folder in parent.glob(f"{_ASIDE}*"):
        # Locked by a process that still writes, or gone since it was listed.
        with contextlib.suppress(OSError), locked(folder / _LOCK):
            shutil.rmtree(folder, ignore_errors=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
