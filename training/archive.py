"""Zip archives from anywhere: looked over before a byte is unpacked, and unpacked within bounds.

Nothing of an archive is written under a name that it gives. What cannot be what it says it is
ends the command: a picture that is skipped for a damaged download would be missed by nobody.
"""

from __future__ import annotations

import contextlib
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PureWindowsPath
from typing import IO
from zipfile import ZipFile, ZipInfo

from training.errors import AGAIN, DataError, TrainingError, brief, may_pass
from training.files import no_room_told

_LOCAL_HEADER = 30  # bytes, before the name
_ENCRYPTED, _UTF_8 = 0x1, 0x800  # bits of a member's flags
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})  # others unpack without bounds
_MOST_EXPANSION = 100  # of an archive in an archive, which is packed already


@contextlib.contextmanager
def open_archive(path: Path) -> Iterator[ZipFile]:
    """Open a zip archive to read.

    Raises:
        DataError: It is none, a damaged one, or one whose members overlap.
    """
    with path.open("rb") as file, _open(path, file) as archive:
        yield archive


@contextlib.contextmanager
def open_inner_archive(path: Path, outer: ZipFile, name: str) -> Iterator[ZipFile]:
    """Unpack the archive `name` of the one at `path` into a nameless file, and open it.

    Raises:
        DataError: As `open_archive` and `check_members`, or it expands as no archive does.
        StorageError: There is no room for it.
    """
    members = [member for member in outer.infolist() if member.filename == name]
    check_members(path, members)
    if members[0].file_size > _MOST_EXPANSION * members[0].compress_size:
        raise DataError(
            f"{path} holds {name}, which would expand to {members[0].file_size / 1e6:,.0f} MB as "
            "no archive of pictures does; do not use it."
        )
    with tempfile.TemporaryFile() as unpacked:
        with (
            _telling_damage(path, name),
            outer.open(members[0]) as packed,
            no_room_told(Path(tempfile.gettempdir(), name)),
            open(unpacked.fileno(), "wb", closefd=False) as copy,
        ):
            shutil.copyfileobj(packed, copy)
        with _open(path / name, unpacked) as archive:
            yield archive


def check_members(path: Path, members: Sequence[ZipInfo]) -> None:
    """Raise DataError if one of `members` is not a plain file with a name of its own."""
    names: set[str] = set()
    for member in members:
        fault = "which is there twice" if member_name(member) in names else _fault(member)
        if fault:
            raise DataError(
                f"{path} holds {member.orig_filename!r}, {fault}; if you trust the archive, "
                "unpack it, and give the folder."
            )
        names.add(member_name(member))


def member_name(member: ZipInfo) -> str:
    """The path of a member, also where its archive does not say that it is in UTF-8."""
    if not member.flag_bits & _UTF_8:  # then zipfile takes it for code page 437, as the format says
        with contextlib.suppress(UnicodeError):
            return member.filename.encode("cp437").decode("utf-8")
    return member.filename


def read_member(path: Path, archive: ZipFile, member: ZipInfo) -> bytes:
    """The bytes of a member, as many as its header says.

    Raises:
        DataError: It is damaged, or not as its header says.
    """
    with _telling_damage(path, member.filename), archive.open(member) as file:
        data = file.read(member.file_size + 1)
        if len(data) != member.file_size:
            raise zipfile.BadZipFile(f"{len(data)} bytes instead of {member.file_size}")
        return data


def _fault(member: ZipInfo) -> str | None:
    place = PureWindowsPath(member.filename)  # which takes "\" and "/" for the same
    if place.root or ".." in place.parts:
        return "whose path leads out of it"
    if "\0" in member.orig_filename:
        return "whose name goes on after its end"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "a symbolic link"
    if member.flag_bits & _ENCRYPTED:
        return "which is encrypted"
    if member.compress_type not in _METHODS:
        return f"packed by a method that is not read here ({member.compress_type})"
    return None


def _open(path: Path, file: IO[bytes]) -> ZipFile:
    with _telling_damage(path):
        archive = ZipFile(file)
        _check_overlap(archive)
        return archive


def _check_overlap(archive: ZipFile) -> None:
    """Python itself looks for it from 3.11.8 on, member by member."""
    members = sorted(archive.infolist(), key=lambda member: member.header_offset)
    starts = [member.header_offset for member in members[1:]]
    for member, limit in zip(members, [*starts, archive.start_dir], strict=False):
        length = _LOCAL_HEADER + len(member.orig_filename) + member.compress_size
        if member.header_offset + length > limit:
            raise zipfile.BadZipFile(f"{member.orig_filename!r} overlaps with what follows")


@contextlib.contextmanager
def _telling_damage(path: Path, member: str | None = None) -> Iterator[None]:
    try:
        yield
    except TrainingError:
        raise
    except Exception as error:  # zipfile and zlib raise many types for damaged archives
        if may_pass(error):
            raise DataError(f"{path} cannot be read ({brief(error)}); {AGAIN}.") from error
        where = "" if member is None else f" at {member!r}"
        raise DataError(
            f"{path} is not a zip archive, or a damaged one{where} ({brief(error)}); "
            "download it again."
        ) from error
