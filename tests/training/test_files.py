from __future__ import annotations

from pathlib import Path

import pytest

from training.files import whole_file, whole_folder, write_text


def test_text_is_written_into_folders_that_are_made(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b.txt", "für\n")

    assert (tmp_path / "a" / "b.txt").read_text(encoding="utf-8") == "für\n"


def test_a_file_is_absent_until_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "model.json"

    with whole_file(path) as aside:
        aside.write_text("all")
        assert not path.exists()

    assert path.read_text() == "all"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_file_before(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text("before")

    def write_half() -> None:
        with whole_file(path) as aside:
            aside.write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_half()

    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "model"
    for name in ("old", "new"):
        with whole_folder(path) as aside:
            (aside / name).touch()

    assert [file.name for file in path.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_folder_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.mkdir()

    def write_half() -> None:
        with whole_folder(path) as aside:
            (aside / "half").touch()
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_half()

    assert list(tmp_path.rglob("*")) == [path]
