from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.images import ImageTooLargeError
from tests.training.pictures import (
    CAT,
    DOG,
    kaggle_files,
    write_competition,
    write_files,
    write_zip,
)
from training.errors import DataError
from training.source import Entry, open_source


def competition(folder: Path) -> Path:
    return write_competition(folder / "dogs-vs-cats.zip", 2)


def competition_folder(folder: Path) -> Path:
    """Write the competition's archive, unpacked once."""
    return write_zip(folder / "train.zip", kaggle_files(2)).parent


def archive(folder: Path) -> Path:
    return write_zip(folder / "train.zip", kaggle_files(2), folders=["train"])


def unpacked(folder: Path) -> Path:
    return write_files(folder, {**kaggle_files(2), "test1/1.jpg": DOG, "sample.csv": b"id,label"})


def one_folder(folder: Path) -> Path:
    return write_files(folder, kaggle_files(2, folder=""))


def names_of(*paths: Path, training_only: bool = False) -> list[str]:
    with open_source(*paths, training_only=training_only) as source:
        return [entry.name for entry in source.entries]


def labels_of(*paths: Path) -> list[str | None]:
    with open_source(*paths) as source:
        return [entry.label for entry in source.entries]


def fingerprint(*paths: Path) -> str:
    with open_source(*paths) as source:
        return source.fingerprint()


@pytest.mark.parametrize(
    "make",
    [competition, competition_folder, archive, unpacked, one_folder],
    ids=lambda f: f.__name__,
)
def test_every_form_of_the_competition_holds_the_same_pictures(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    with open_source(make(tmp_path), training_only=True) as source:
        pictures = [
            (Path(entry.name).name, entry.label, source.read(entry)) for entry in source.entries
        ]

    assert pictures == [
        ("cat.0.jpg", "cat", CAT),
        ("cat.1.jpg", "cat", CAT),
        ("dog.0.jpg", "dog", DOG),
        ("dog.1.jpg", "dog", DOG),
    ]


def test_source_is_named_after_its_file(tmp_path: Path) -> None:
    with open_source(competition(tmp_path)) as source:
        assert source.name == "dogs-vs-cats.zip"


def test_folders_are_labels(tmp_path: Path) -> None:
    write_files(
        tmp_path, {"Cat/0.jpg": CAT, "Dog/0.jpg": DOG, "readme.txt": b"", "Cat/Thumbs.db": b""}
    )

    with open_source(tmp_path) as source:
        assert source.entries == [Entry("Cat/0.jpg", "Cat"), Entry("Dog/0.jpg", "Dog")]


def test_folders_in_an_archive_are_labels(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"PetImages/Cat/0.jpg": CAT, "PetImages/Dog/0.jpg": DOG})

    assert labels_of(path) == ["Cat", "Dog"]


def test_classes_may_be_more_than_two(tmp_path: Path) -> None:
    write_files(tmp_path, {f"{name}/1.png": CAT for name in ("ant", "bee", "cow")})

    assert labels_of(tmp_path) == ["ant", "bee", "cow"]


def test_training_folder_may_hold_a_folder_a_class(tmp_path: Path) -> None:
    write_files(tmp_path, {"train/cat/1.jpg": CAT, "train/dog/1.jpg": DOG, "test/cat/2.jpg": CAT})

    with open_source(tmp_path, training_only=True) as source:
        assert source.entries == [Entry("train/cat/1.jpg", "cat"), Entry("train/dog/1.jpg", "dog")]
        assert source.left_alone == 1
    assert "test/cat/2.jpg" in names_of(tmp_path)


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    write_files(tmp_path, {"train/1.jpg": CAT, "tram/1.jpg": DOG})

    assert labels_of(tmp_path) == ["train", "tram"]


def test_label_of_a_file_name_ends_at_the_first_dot(tmp_path: Path) -> None:
    write_files(tmp_path, {"guinea pig.1.2.JPEG": CAT, "cat.7.png": CAT})

    assert labels_of(tmp_path) == ["cat", "guinea pig"]


def test_unlabelled_pictures_have_no_label(tmp_path: Path) -> None:
    assert labels_of(
        write_zip(tmp_path / "test1.zip", {"test1/1.jpg": CAT, "test1/2.jpg": DOG})
    ) == [
        None,
        None,
    ]


@pytest.mark.parametrize(
    "make", [write_files, lambda path, files: write_zip(path / "a.zip", files)]
)
def test_hidden_files_are_ignored(
    tmp_path: Path, make: Callable[[Path, dict[str, bytes]], Path]
) -> None:
    hidden = {
        "__MACOSX/train/._cat.0.jpg": b"",
        "train/._cat.0.jpg": b"",
        ".thumbnails/cat.0.jpg": CAT,
        "train/.DS_Store": b"",
    }

    assert names_of(make(tmp_path, {**kaggle_files(1), **hidden})) == [
        "train/cat.0.jpg",
        "train/dog.0.jpg",
    ]


def test_single_file_is_read(tmp_path: Path) -> None:
    write_files(tmp_path, {"rex.jpg": DOG, "other.jpg": CAT})

    with open_source(tmp_path / "rex.jpg") as source:
        assert [source.read(entry) for entry in source.entries] == [DOG]
        assert source.name == "rex.jpg"


def test_several_files_are_read(tmp_path: Path) -> None:
    write_files(tmp_path, {"a/rex.jpg": DOG, "b/tom.jpg": CAT, "b/other.jpg": CAT})

    assert [
        Path(name).name for name in names_of(tmp_path / "b/tom.jpg", tmp_path / "a/rex.jpg")
    ] == [
        "rex.jpg",
        "tom.jpg",
    ]


@pytest.mark.parametrize("make", [competition, archive, unpacked], ids=lambda f: f.__name__)
def test_fingerprint_is_of_the_content_wherever_it_lies(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    path = make(here)
    before = fingerprint(path)

    assert len(before) == 64
    assert fingerprint(here.rename(there) / path.relative_to(here)) == before


def test_a_name_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    write_files(tmp_path, {"dog.\x1b[2J.jpg": DOG})

    with pytest.raises(DataError, match=r"'dog\.\\x1b\[2J\.jpg', whose name cannot be shown"):
        names_of(tmp_path)


def test_a_file_that_is_larger_than_any_picture_is_not_read(tmp_path: Path) -> None:
    write_files(tmp_path, {"dog.0.jpg": DOG})
    os.truncate(tmp_path / "dog.0.jpg", 200_000_001)  # of which the disk has but a page

    with open_source(tmp_path) as source, pytest.raises(ImageTooLargeError, match="than 200 MB"):
        source.read(source.entries[0])


def test_folders_that_are_links_are_read_once(tmp_path: Path) -> None:
    elsewhere = write_files(tmp_path / "elsewhere", {"1.jpg": DOG})
    data = write_files(tmp_path / "data", {"cat/1.jpg": CAT})
    (data / "dog").symlink_to(elsewhere, target_is_directory=True)
    (elsewhere / "again").symlink_to(elsewhere, target_is_directory=True)
    write_files(data, {".hidden/3.jpg": CAT})

    assert names_of(data) == ["cat/1.jpg", "dog/1.jpg"]
    assert labels_of(data) == ["cat", "dog"]


def test_a_folder_that_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    write_files(tmp_path, {"cat/1.jpg": CAT})
    monkeypatch.setattr("os.scandir", fail)

    with pytest.raises(DataError, match=r"cannot be read \(Permission denied\)"):
        names_of(tmp_path)


def test_a_name_in_utf_8_is_read_whether_its_archive_says_so_or_not(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"H\u00fchner/1.jpg": CAT, "x/1.jpg": DOG})
    data = path.read_bytes()
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # without the bit for UTF-8
        start = data.index(header)
        data = data[: start + flags] + b"\0\0" + data[start + flags + 2 :]
    path.write_bytes(data)

    with open_source(path) as source:
        assert [entry.label for entry in source.entries] == ["H\u00fchner", "x"]
        assert source.read(source.entries[0]) == CAT


def test_this_folder_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write_files(tmp_path, {"1.jpg": CAT}))

    with open_source(Path()) as source:
        assert source.name == tmp_path.name


@pytest.mark.parametrize("other", ["folder", "archive.zip"])
def test_a_folder_or_an_archive_is_given_alone(tmp_path: Path, other: str) -> None:
    write_files(tmp_path, {"rex.jpg": DOG, "folder/tom.jpg": CAT})
    write_zip(tmp_path / "archive.zip", {"tom.jpg": CAT})

    with pytest.raises(DataError, match=f"{other} is no picture file; give one archive"):
        names_of(tmp_path / "rex.jpg", tmp_path / other)
