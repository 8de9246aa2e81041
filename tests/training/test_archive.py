from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest

from tests.training.disk import no_file_above
from tests.training.pictures import CAT, DOG, kaggle_files, write_competition, write_zip
from training.errors import DataError, StorageError
from training.source import open_source

_CENTRAL, _LOCAL = b"PK\x01\x02", b"PK\x03\x04"
_FLAGS, _METHOD, _CRC, _PACKED_SIZE, _SIZE, _OFFSET = 8, 10, 16, 20, 24, 42
"""Where a header of the central directory has what; a local one has it two bytes before."""


def read_all(path: Path) -> list[bytes]:
    with open_source(path) as source:
        return [source.read(entry) for entry in source.entries]


def archive(path: Path, *members: str | ZipInfo) -> Path:
    """Write an archive of pictures, a good one first."""
    with ZipFile(path, "w") as file:
        for member in ("cat.0.jpg", *members):
            file.writestr(member, CAT)
    return path


def change(path: Path, place: int, form: str, value: int, *, locally: bool = False) -> Path:
    """Change one number in the last member's header of the central directory (and its own)."""
    data = bytearray(path.read_bytes())
    struct.pack_into(form, data, data.rindex(_CENTRAL) + place, value)
    if locally:
        struct.pack_into(form, data, data.rindex(_LOCAL) + place - 2, value)
    path.write_bytes(data)
    return path


def link() -> ZipInfo:
    member = ZipInfo("dog.0.jpg")
    member.create_system = 3
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return member


def bzip2() -> ZipInfo:
    member = ZipInfo("dog.0.jpg")
    member.compress_type = zipfile.ZIP_BZIP2
    return member


def with_nul(path: Path) -> Path:
    archive(path, "dog.0.jpg!exe")
    path.write_bytes(path.read_bytes().replace(b"dog.0.jpg!exe", b"dog.0.jpg\0exe"))
    return path


def twice(path: Path) -> Path:
    with pytest.warns(UserWarning, match="Duplicate name"):
        return archive(path, "dog.0.jpg", "dog.0.jpg")


def truncated(path: Path) -> Path:
    archive(path, "dog.0.jpg")
    os.truncate(path, path.stat().st_size // 2)
    return path


def overlapping(path: Path) -> Path:
    """Let two members share their bytes, as the bombs of David Fifield do."""
    return change(archive(path, "dog.0.jpg"), _OFFSET, "<L", 0)


def wrong_crc(path: Path) -> Path:
    return change(archive(path, "dog.0.jpg"), _CRC, "<L", 1, locally=True)


def more_than_said(path: Path) -> Path:
    return change(archive(path, "dog.0.jpg"), _SIZE, "<L", 100, locally=True)


def less_than_said(path: Path) -> Path:
    return change(archive(path, "dog.0.jpg"), _SIZE, "<L", 10_000, locally=True)


def encrypted(path: Path) -> Path:
    return change(archive(path, "dog.0.jpg"), _FLAGS, "<H", 1, locally=True)


def unknown_method(path: Path) -> Path:
    return change(archive(path, "dog.0.jpg"), _METHOD, "<H", 9, locally=True)


def damaged_deflate(path: Path) -> Path:
    write_zip(path, {"cat.0.jpg": CAT, "dog.0.jpg": os.urandom(500)})
    data = bytearray(path.read_bytes())
    data[data.index(b"dog.0.jpg") + len("dog.0.jpg")] = 0xFF
    path.write_bytes(data)
    return path


POISON: dict[str, tuple[Callable[[Path], Path], str]] = {
    "parent": (lambda path: archive(path, "../dog.0.jpg"), "leads out of it; if you trust"),
    "parent deep inside": (lambda path: archive(path, "train/../../dog.0.jpg"), "leads out of it"),
    "parent of Windows": (lambda path: archive(path, "a\\..\\..\\dog.0.jpg"), "leads out of it"),
    "absolute": (lambda path: archive(path, "/etc/dog.0.jpg"), r"'/etc/dog.0.jpg', whose path"),
    "absolute of Windows": (lambda path: archive(path, "C:\\dog.0.jpg"), "leads out of it"),
    "link": (lambda path: archive(path, link()), "'dog.0.jpg', a symbolic link"),
    "twice": (twice, "'dog.0.jpg', which is there twice"),
    "control character": (lambda path: archive(path, "dog.\x1b[2J.jpg"), r"'dog.\\x1b\[2J.jpg'"),
    "new line": (lambda path: archive(path, "dog\n.0.jpg"), r"'dog\\n.0.jpg', whose name cannot"),
    "NUL": (with_nul, r"'dog.0.jpg\\x00exe', whose name goes on"),
    "encrypted": (encrypted, "'dog.0.jpg', which is encrypted; if you trust"),
    "another method": (unknown_method, r"a method that is not read here \(9\)"),
    "bzip2": (lambda path: archive(path, bzip2()), r"a method that is not read here \(12\)"),
    "truncated": (truncated, "a damaged one .*; download it again"),
    "no archive": (lambda path: path.write_text("<html>") and path, "is not a zip archive"),
    "overlapping": (overlapping, "'cat.0.jpg' overlaps with what follows"),
    "wrong CRC": (wrong_crc, r"a damaged one at 'dog.0.jpg' \(Bad CRC-32"),
    "more than said": (more_than_said, "a damaged one at 'dog.0.jpg'"),
    "less than said": (less_than_said, "a damaged one|overlaps"),
    "damaged deflate": (damaged_deflate, r"a damaged one at 'dog.0.jpg' \(Error -3"),
}


@pytest.mark.parametrize("poison", POISON)
@pytest.mark.parametrize("nested", [False, True], ids=["archive", "archive in Kaggle's archive"])
def test_a_poisoned_archive_is_refused(tmp_path: Path, poison: str, nested: bool) -> None:
    make, complaint = POISON[poison]
    path = make(tmp_path / "train.zip")
    if nested:
        path = write_zip(tmp_path / "dogs-vs-cats.zip", {"train.zip": path.read_bytes()})

    with pytest.raises(DataError, match=complaint) as refusal:
        read_all(path)

    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_members_that_are_no_pictures_may_be_as_they_like(tmp_path: Path) -> None:
    path = archive(tmp_path / "train.zip", "dog.0.jpg", "../virus.exe", "/etc/passwd", "a.zip")

    assert read_all(path) == [CAT, CAT]


def test_an_archive_of_more_than_4_gb_or_65535_files_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)  # so that the end is in ZIP64, too
    path = tmp_path / "train.zip"
    with ZipFile(path, "w", ZIP_DEFLATED) as file:
        for name, data in (("cat.0.jpg", CAT), ("dog.0.jpg", DOG)):
            with file.open(name, "w", force_zip64=True) as member:
                member.write(data)

    assert b"PK\x06\x06" in path.read_bytes()
    assert read_all(path) == [CAT, DOG]


def test_pictures_of_an_archive_in_an_archive_in_the_archive_are_not_read(tmp_path: Path) -> None:
    inner = write_competition(tmp_path / "dogs-vs-cats.zip", 1).read_bytes()

    with pytest.raises(DataError, match="holds no pictures"):
        read_all(write_zip(tmp_path / "outer.zip", {"train.zip": inner}))


def test_an_archive_that_expands_like_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "outer.zip", {"train.zip": bytes(1_000_000)})

    with no_file_above(0), pytest.raises(DataError, match="would expand to 1 MB as no archive"):
        read_all(path)


def test_no_room_to_unpack_is_told_with_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = write_competition(tmp_path / "dogs-vs-cats.zip", 2)

    with no_file_above(100), pytest.raises(StorageError, match=f"{tmp_path}/train.zip cannot be"):
        read_all(path)

    assert list(tmp_path.iterdir()) == [path]


def test_a_bomb_among_the_pictures_is_never_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "train.zip"
    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as file:
        for name, data in kaggle_files(2).items():
            file.writestr(name, data)
        file.writestr("train/cat.9.jpg", bytes(1000))
    path.write_bytes(packed.getvalue())
    change(path, _SIZE, "<L", 3_000_000_000, locally=True)

    with open_source(path) as source:
        bomb = next(entry for entry in source.entries if entry.name == "train/cat.9.jpg")
        with pytest.raises(Exception, match=r"3,000 MB, and no picture needs more than 200 MB"):
            source.read(bomb)
