"""Where pictures come from: an archive or a folder, labelled by file name or by folder."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

from app.images import ImageTooLargeError
from training.archive import (
    check_members,
    member_name,
    open_archive,
    open_inner_archive,
    read_member,
)
from training.errors import AGAIN, DataError, may_pass
from training.labelling import labels_of, training_names

_PICTURES = ".jpg .jpeg .jpe .jfif .png .webp .gif .bmp .tif .tiff .avif .heic .heif"
_SUFFIXES = frozenset(_PICTURES.split())
_INNER_ARCHIVE = "train.zip"
_MOST_BYTES = 200_000_000  # of a file: what the largest picture that is decoded takes uncompressed
_MEND = "make it readable, or remove it"
_UNSHOWABLE = frozenset({"Cc", "Cs"})  # control characters, and bytes that are no characters


@dataclass(frozen=True)
class Entry:
    """One picture of a source."""

    name: str
    """Path within the source, with forward slashes."""
    label: str | None
    """None where neither the file name nor a folder tells."""


class Source(ABC):
    """Pictures that can be listed and read, from several threads at once."""

    def __init__(self, path: Path, names: list[str], left_alone: int = 0) -> None:
        self.path = path
        self.left_alone = left_alone
        """How many pictures of a validation or a test lie beside these."""
        names = sorted(names)
        self.entries = list(map(Entry, names, labels_of(names)))
        if not self.entries:
            raise DataError(
                f"{path} holds no pictures; give Kaggle's archive, or a folder of image files."
            )
        for name in names:
            check_name(path, name)

    @property
    def name(self) -> str:
        """What a reader of the model card would call it."""
        return self.path.absolute().name

    @abstractmethod
    def read(self, entry: Entry) -> bytes:
        """The bytes of the picture's file.

        Raises:
            DataError: It cannot be read, now or ever.
            ImageTooLargeError: It has more bytes than any picture needs.
        """

    @abstractmethod
    def stamp(self, entry: Entry) -> tuple[int, int]:
        """Size and time of writing or checksum: they change when the picture does."""

    def fingerprint(self) -> str:
        """Changes when any picture changes; 64 hexadecimal digits."""
        return _digest([[entry.name, *self.stamp(entry)] for entry in self.entries])


class FolderSource(Source):
    """Picture files below a folder."""

    def __init__(self, path: Path, *, training_only: bool) -> None:
        files = (file.relative_to(path).as_posix() for file in files_below(path))
        found = list(filter(is_picture, files))
        names = training_names(found) if training_only else found
        super().__init__(path, names, len(found) - len(names))

    def read(self, entry: Entry) -> bytes:
        return read_file(self.path / entry.name)

    def stamp(self, entry: Entry) -> tuple[int, int]:
        return stamp_file(self.path / entry.name)


class FilesSource(Source):
    """Single picture files."""

    def __init__(self, files: list[Path]) -> None:
        self._files = {file.as_posix(): file for file in files}
        super().__init__(Path(files[0].name), list(self._files))

    def read(self, entry: Entry) -> bytes:
        return read_file(self._files[entry.name])

    def stamp(self, entry: Entry) -> tuple[int, int]:
        return stamp_file(self._files[entry.name])


class ArchiveSource(Source):
    """Pictures in a zip archive."""

    def __init__(self, path: Path, archive: ZipFile, *, training_only: bool) -> None:
        self._archive = archive
        self._lock = threading.Lock()
        files = [each for each in archive.infolist() if not each.filename.endswith("/")]
        self._members = {member_name(member): member for member in files}
        found = list(filter(is_picture, map(member_name, files)))
        names = training_names(found) if training_only else found
        chosen = set(names)
        check_members(path, [member for member in files if member_name(member) in chosen])
        super().__init__(path, names, len(found) - len(names))

    def read(self, entry: Entry) -> bytes:
        member = self._members[entry.name]
        check_size(member.file_size)
        with self._lock:
            return read_member(self.path, self._archive, member)

    def stamp(self, entry: Entry) -> tuple[int, int]:
        member = self._members[entry.name]
        return member.file_size, member.CRC


@contextlib.contextmanager
def open_source(*paths: Path, training_only: bool = False) -> Iterator[Source]:
    """Open one archive, one folder, or any number of picture files.

    Labels are those of `labels_of`. Of an archive with a `train.zip` in it, as Kaggle's competition
    is, only that is read.

    Args:
        paths: What to open.
        training_only: Leave pictures alone that `training_names` leaves out.

    Raises:
        DataError: A path does not exist, is a damaged archive or one not to be trusted, or holds
            no pictures; or what is no picture is one of several paths.
        StorageError: There is no room to unpack an archive in the archive.
    """
    for path in paths:
        if not path.exists():
            raise DataError(f"{path} does not exist; give an archive, a folder or picture files.")
    path = paths[0]
    if all(map(_is_picture_file, paths)):
        yield FilesSource(list(paths))
    elif len(paths) > 1:
        other = next(each for each in paths if not _is_picture_file(each))
        raise DataError(
            f"{other} is no picture file; give one archive, one folder, or picture files only."
        )
    elif path.is_dir() and not (path / _INNER_ARCHIVE).is_file():
        yield FolderSource(path, training_only=training_only)
    else:
        file = path / _INNER_ARCHIVE if path.is_dir() else path
        with contextlib.ExitStack() as stack:
            archive = _open_archive(file, stack)
            yield ArchiveSource(file, archive, training_only=training_only)


def is_picture(name: str) -> bool:
    """Whether a file's path is that of a picture."""
    path = PurePosixPath(name)
    return path.suffix.lower() in _SUFFIXES and not any(map(is_hidden, path.parts))


def is_hidden(part: str) -> bool:
    """Whether a part of a path is of no concern, such as macOS's "__MACOSX"."""
    return part != ".." and part.startswith((".", "__MACOSX"))


def check_name(path: Path, name: str) -> None:
    """Raise DataError for a name in `path` that could not be printed."""
    if any(unicodedata.category(character) in _UNSHOWABLE for character in name):
        raise DataError(f"{path} holds {name!r}, whose name cannot be shown or written; rename it.")


def stamp_file(path: Path) -> tuple[int, int]:
    """The size of a file in bytes, and when it was written, in nanoseconds."""
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def read_file(path: Path) -> bytes:
    """The bytes of a picture's file.

    Raises:
        DataError: It cannot be read.
        ImageTooLargeError: It has more bytes than any picture needs.
    """
    try:
        check_size(path.stat().st_size)
        return path.read_bytes()
    except OSError as error:
        advice = AGAIN if may_pass(error) else _MEND
        raise DataError(f"{path} cannot be read ({error.strerror}); {advice}.") from error


def check_size(size: int) -> None:
    """Raise ImageTooLargeError for a file of more bytes than any picture needs."""
    if size > _MOST_BYTES:
        raise ImageTooLargeError(
            f"The file has {size / 1e6:,.0f} MB, and no picture needs more than "
            f"{_MOST_BYTES / 1e6:,.0f} MB."
        )


def files_below(folder: Path) -> Iterator[Path]:
    """Files in a folder and its sub-folders, by name.

    Links to folders are followed, each folder is read once, and what is hidden is not.

    Raises:
        DataError: A folder cannot be read.
    """
    return _walk(folder, set())


def _walk(folder: Path, seen: set[tuple[int, int]]) -> Iterator[Path]:
    try:
        stat = folder.stat()
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        advice = AGAIN if may_pass(error) else _MEND
        raise DataError(f"{folder} cannot be read ({error.strerror}); {advice}.") from error
    if (stat.st_dev, stat.st_ino) in seen:
        return
    seen.add((stat.st_dev, stat.st_ino))
    for entry in entries:
        if is_hidden(entry.name):
            continue
        if entry.is_dir():
            yield from _walk(Path(entry.path), seen)
        elif entry.is_file():
            yield Path(entry.path)


def _is_picture_file(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in _SUFFIXES


def _open_archive(path: Path, stack: contextlib.ExitStack) -> ZipFile:
    archive = stack.enter_context(open_archive(path))
    if _INNER_ARCHIVE in archive.namelist():
        archive = stack.enter_context(open_inner_archive(path, archive, _INNER_ARCHIVE))
    return archive


def _digest(value: list[list[str | int]]) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
