from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.training.bulk.shards import write_parquet, write_tar
from tests.training.pictures import CAT, DOG, kaggle_files, write_competition, write_files
from training.bulk import listing
from training.bulk.listing import (
    Piece,
    SourceListing,
    count_parts,
    fingerprint,
    read_part,
    write_listing,
)
from training.errors import DataError, RunError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of pictures and shards, and of files that are neither."""
    files = dict.fromkeys(("b.jpg", "a/2.png", "a/1.jpg", "z.webp"), CAT)
    others = dict.fromkeys((".b.jpg", ".git/a.jpg", "__MACOSX/b.jpg", "notes.txt"), b"")
    folder = write_files(tmp_path / "in", {**files, **others})
    write_parquet(folder / "c.parquet", {"image": [CAT, DOG, CAT]}, rows_a_group=2)
    write_tar(folder / "d.tar", {"1.jpg": CAT})
    return folder


def test_parts_are_some_pictures_or_one_shard(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PICTURES_A_PART", 2)
    path = tmp_path / "listing.parquet"

    write_listing(folder, path)

    assert [read_part(path, number) for number in range(count_parts(path))] == [
        [Piece("a/1.jpg"), Piece("a/2.png")],
        [Piece("c.parquet", 0)],
        [Piece("c.parquet", 1)],
        [Piece("d.tar")],
        [Piece("b.jpg"), Piece("z.webp")],
    ]


@pytest.mark.parametrize("name", ["b.jpg", "d.tar"])
def test_a_single_file_is_a_source(name: str, folder: Path) -> None:
    assert list(SourceListing(folder / name)) == [Piece(name)]


def test_an_archive_is_listed_as_predict_reads_it(tmp_path: Path) -> None:
    archive = write_competition(tmp_path / "dogs-vs-cats.zip", 2)

    assert {piece.name for piece in SourceListing(archive)} == set(kaggle_files(2))


def test_the_same_files_have_the_same_fingerprint(folder: Path, tmp_path: Path) -> None:
    assert write_listing(folder, tmp_path / "listing.parquet") == fingerprint(folder)


@pytest.mark.parametrize("name", ["a/1.jpg", "c.parquet", "d.tar"])
def test_a_changed_file_changes_the_fingerprint(name: str, folder: Path) -> None:
    before = fingerprint(folder)

    os.utime(folder / name, ns=(1, 1))

    assert fingerprint(folder) != before


@pytest.mark.parametrize("change", ["more", "less", "renamed"])
def test_other_files_change_the_fingerprint(change: str, folder: Path) -> None:
    before = fingerprint(folder)

    if change == "more":
        (folder / "more.jpg").write_bytes(CAT)
    elif change == "less":
        (folder / "b.jpg").unlink()
    else:
        (folder / "b.jpg").rename(folder / "c.jpg")

    assert fingerprint(folder) != before


@pytest.mark.parametrize(
    ("name", "advice"), [("nowhere", "does not exist"), ("empty", "holds no pictures")]
)
def test_a_source_without_pictures_is_refused(name: str, advice: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(DataError, match=advice):
        write_listing(tmp_path / name, tmp_path / "listing.parquet")

    assert not (tmp_path / "listing.parquet").exists()


def test_a_name_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "in", {"a\n.jpg": CAT})

    with pytest.raises(DataError, match="rename it"):
        fingerprint(folder)


def test_a_damaged_listing_is_told(tmp_path: Path) -> None:
    path = tmp_path / "listing.parquet"
    path.write_bytes(b"no listing")

    with pytest.raises(RunError, match="is damaged"):
        count_parts(path)
