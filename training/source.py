"""Where pictures come from: an archive or a folder, labelled by file name or by folder."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
import tempfile
import threading
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from training.errors import DataError

_PICTURES = ".jpg .jpeg .png .webp .gif .bmp .tif .tiff .avif .heic .heif"
_SUFFIXES = frozenset(_PICTURES.split())
_LABELLED_NAME = re.compile(r"([^.]+)\..+\.[^.]+")
_TRAINING = "train"


@dataclass(frozen=True)
class Entry:
    """One picture of a source."""

    name: str
    """Path within the source, with forward slashes."""
    label: str | None
    """None where neither the file name nor a folder tells."""


class Source(ABC):
    """Pictures that can be listed and read, from several threads at once."""

    def __init__(self, path: Path, names: list[str]) -> None:
        self.path = path
        self.entries = _label(sorted(names))
        if not self.entries:
            raise DataError(
                f"{path} holds no pictures; give Kaggle's archive, or a folder of image files."
            )

    @property
    def name(self) -> str:
        """What a reader of the model card would call it."""
        return self.path.name

    @abstractmethod
    def read(self, entry: Entry) -> bytes:
        """The bytes of the picture's file."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Changes when any picture changes; 64 hexadecimal digits."""


class FolderSource(Source):
    """Picture files below a folder."""

    def __init__(self, path: Path) -> None:
        found = sorted(file for file in path.rglob("*") if file.is_file())
        super().__init__(path, _pictures(file.relative_to(path).as_posix() for file in found))

    def read(self, entry: Entry) -> bytes:
        return (self.path / entry.name).read_bytes()

    def fingerprint(self) -> str:
        stats = ((entry.name, (self.path / entry.name).stat()) for entry in self.entries)
        return _digest([[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats])


class FilesSource(Source):
    """Single picture files."""

    def __init__(self, files: list[Path]) -> None:
        self._files = {file.as_posix(): file for file in files}
        super().__init__(Path(files[0].name), list(self._files))

    def read(self, entry: Entry) -> bytes:
        return self._files[entry.name].read_bytes()

    def fingerprint(self) -> str:
        return _digest([[name, file.stat().st_size] for name, file in self._files.items()])


class ArchiveSource(Source):
    """Pictures in a zip archive."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._lock = threading.Lock()
        files = (info.filename for info in archive.infolist() if not info.is_dir())
        super().__init__(path, _pictures(files))

    def read(self, entry: Entry) -> bytes:
        with self._lock:
            return self._archive.read(entry.name)

    def fingerprint(self) -> str:
        infos = (self._archive.getinfo(entry.name) for entry in self.entries)
        return _digest([[info.filename, info.file_size, info.CRC] for info in infos])


@contextlib.contextmanager
def open_source(*paths: Path) -> Iterator[Source]:
    """Open one archive, one folder, or any number of picture files.

    Labels come from the folders when pictures lie in several, else from the file names, up to
    the first dot ("cat.0.jpg"). Of Kaggle's competition, archive or unpacked, only `train` is read.

    Raises:
        DataError: A path does not exist, is a broken archive, or holds no pictures.
    """
    for path in paths:
        if not path.exists():
            raise DataError(f"{path} does not exist; give an archive, a folder or picture files.")
    path = paths[0]
    if len(paths) > 1 or path.suffix.lower() in _SUFFIXES:
        yield FilesSource(list(paths))
    elif path.is_dir():
        inner = path / f"{_TRAINING}.zip"
        with _open_archive(inner) if inner.is_file() else _plain_folder(path) as source:
            yield source
    else:
        with _open_archive(path) as source:
            yield source


@contextlib.contextmanager
def _plain_folder(path: Path) -> Iterator[Source]:
    yield FolderSource(path)


@contextlib.contextmanager
def _open_archive(path: Path) -> Iterator[Source]:
    try:
        with zipfile.ZipFile(path) as archive, contextlib.ExitStack() as stack:
            if f"{_TRAINING}.zip" in archive.namelist():
                unpacked = stack.enter_context(tempfile.TemporaryFile())
                with archive.open(f"{_TRAINING}.zip") as packed:
                    shutil.copyfileobj(packed, unpacked)
                yield ArchiveSource(path, stack.enter_context(zipfile.ZipFile(unpacked)))
            else:
                yield ArchiveSource(path, archive)
    except zipfile.BadZipFile as error:
        raise DataError(
            f"{path} is not a zip archive, or a damaged one ({error}); download it again."
        ) from error


def _pictures(names: Iterator[str]) -> list[str]:
    pictures = [
        name
        for name in names
        if PurePosixPath(name).suffix.lower() in _SUFFIXES
        and not any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)
    ]
    training = [name for name in pictures if PurePosixPath(name).parts[0] == _TRAINING]
    folders = {PurePosixPath(name).parts[0] for name in pictures}
    return training if training and folders <= {_TRAINING, "test", "test1"} else pictures


def _label(names: list[str]) -> list[Entry]:
    folders = {PurePosixPath(name).parent for name in names}
    if len(folders) > 1:
        return [Entry(name, PurePosixPath(name).parent.name or None) for name in names]
    matches = {name: _LABELLED_NAME.fullmatch(PurePosixPath(name).name) for name in names}
    return [Entry(name, match.group(1) if match else None) for name, match in matches.items()]


def _digest(value: list[list[str | int]]) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
