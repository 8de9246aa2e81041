from __future__ import annotations

import errno
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.training.bulk.shards import write_parquet, write_tar
from training import source
from training.bulk.shards import row_groups, shard_pictures
from training.data import Skipped
from training.errors import DataError


@pytest.mark.parametrize(
    "columns",
    [
        {"image": [b"cat", b"dog", b"rat"], "label": [0, 1, 2]},
        {"label": [0, 1, 2], "bytes": [b"cat", b"dog", b"rat"]},
        {"image": pa.array([b"cat", b"dog", b"rat"], pa.large_binary())},
        {
            "image": [
                {"bytes": b"cat", "path": "cat.jpg"},
                {"bytes": b"dog", "path": None},
                {"bytes": b"rat", "path": "rat.jpg"},
            ]
        },
    ],
)
def test_rows_of_a_parquet_shard_are_named_by_their_number(
    columns: dict[str, Any], tmp_path: Path
) -> None:
    path = write_parquet(tmp_path / "a.parquet", columns, rows_a_group=2)

    assert row_groups(path) == 2
    assert list(shard_pictures(path, "in/a.parquet", 0)) == [
        ("in/a.parquet/0", b"cat"),
        ("in/a.parquet/1", b"dog"),
    ]
    assert list(shard_pictures(path, "in/a.parquet", 1)) == [("in/a.parquet/2", b"rat")]


def test_a_row_without_a_picture_is_told_from_its_neighbours(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", {"image": [None, b"dog", b""]})

    first, second, third = shard_pictures(path, "a.parquet", 0)

    assert second == ("a.parquet/1", b"dog")
    assert isinstance(first[1], Skipped)
    assert isinstance(third[1], Skipped)


@pytest.mark.parametrize("columns", [{"pixels": [b"cat"]}, {"image": ["cat.jpg"]}])
def test_a_parquet_file_without_pictures_is_refused(
    columns: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="no column of pictures"):
        row_groups(write_parquet(tmp_path / "a.parquet", columns))


def test_what_is_no_parquet_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"no shard")

    with pytest.raises(DataError, match="not a Parquet file"):
        row_groups(path)


def test_pictures_of_a_tar_shard_are_named_by_their_members(tmp_path: Path) -> None:
    files = {"1.jpg": b"cat", "1.json": b"{}", ".hidden.jpg": b"", "deep/2.PNG": b"dog"}
    path = write_tar(tmp_path / "a.tar", files)
    with tarfile.open(path, "a") as shard:
        link = tarfile.TarInfo("link.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        shard.addfile(link)

    assert list(shard_pictures(path, "in/a.tar", None)) == [
        ("in/a.tar/1.jpg", b"cat"),
        ("in/a.tar/deep/2.PNG", b"dog"),
    ]


def test_a_member_larger_than_any_picture_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "_MOST_BYTES", 3)
    path = write_tar(tmp_path / "a.tar", {"1.jpg": b"large", "2.jpg": b"dog"})

    (_, first), second = shard_pictures(path, "a.tar", None)

    assert isinstance(first, Skipped)
    assert second == ("a.tar/2.jpg", b"dog")


def test_a_name_that_is_no_text_can_be_written(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", {"\udcff.jpg": b"cat"})

    ((name, _),) = shard_pictures(path, "a.tar", None)

    assert name.encode() == b"a.tar/?.jpg"


def cut_in_a_member(shard: bytes) -> bytes:
    return shard[:2000]


def cut_in_a_header(shard: bytes) -> bytes:
    return shard[:1300]


def cut_between_members(shard: bytes) -> bytes:
    return shard[:1024]


def zeros_in_place_of_a_header(shard: bytes) -> bytes:
    return shard[:1024] + bytes(512) + shard[1536:]


def a_header_overwritten(shard: bytes) -> bytes:
    return shard[:1024] + b"x" * 512 + shard[1536:]


def a_size_that_cannot_be(shard: bytes) -> bytes:
    header = tarfile.TarInfo.frombuf(shard[1024:1536], "utf-8", "strict")
    header.size = 2**44
    return shard[:1024] + header.tobuf(tarfile.GNU_FORMAT) + shard[1536:]


@pytest.mark.parametrize(
    "damage",
    [
        a_size_that_cannot_be,
        cut_in_a_member,
        cut_in_a_header,
        cut_between_members,
        zeros_in_place_of_a_header,
        a_header_overwritten,
    ],
    ids=lambda damage: damage.__name__,
)
def test_what_is_left_of_a_damaged_shard_is_one_row(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = write_tar(tmp_path / "a.tar", {"1.jpg": b"cat", "2.jpg": b"d" * 5000})
    path.write_bytes(damage(path.read_bytes()))

    first, *_, (name, rest) = shard_pictures(path, "a.tar", None)

    assert first == ("a.tar/1.jpg", b"cat")
    assert name == "a.tar"
    assert isinstance(rest, Skipped)
    assert "cannot be read" in rest.reason


@pytest.mark.parametrize(("number", "told"), [(errno.EIO, True), (errno.EACCES, False)])
def test_only_what_may_pass_ends_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, *, told: bool
) -> None:
    path = write_tar(tmp_path / "a.tar", {"1.jpg": b"cat"})

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("tarfile.open", fail)

    if told:
        with pytest.raises(DataError, match="run the command again"):
            list(shard_pictures(path, "a.tar", None))
    else:
        ((name, rest),) = shard_pictures(path, "a.tar", None)
        assert name == "a.tar"
        assert isinstance(rest, Skipped)


def test_a_shard_that_is_none_is_one_row(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(b"no shard" * 100)

    ((name, rest),) = shard_pictures(path, "a.tar", None)

    assert name == "a.tar"
    assert isinstance(rest, Skipped)
