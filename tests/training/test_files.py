from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.training.disk import no_file_above
from training.errors import StorageError
from training.files import require_room, whole_file, whole_folder, write_text
from training.lock import locked


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


@pytest.mark.parametrize("meanwhile", ["removed", "locked"])
def test_a_folder_that_another_process_takes_for_abandoned_is_made_anew(
    meanwhile: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, mine = tmp_path / ".unfinished-taken", tmp_path / ".unfinished-mine"
    folders = iter((taken, mine))
    with contextlib.ExitStack() as another:

        def make(**_: object) -> str:
            folder = next(folders)
            if folder == mine or meanwhile == "locked":
                folder.mkdir()
            if folder == taken and meanwhile == "locked":
                another.enter_context(locked(taken / ".lock"))
            return str(folder)

        monkeypatch.setattr(tempfile, "mkdtemp", make)

        with whole_file(tmp_path / "model.json") as aside:
            aside.write_text("all")
            assert aside.parent == mine

    assert not mine.exists()


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


def test_a_full_disk_is_told_in_a_sentence_and_leaves_the_file_before(tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    write_text(path, "before")

    with no_file_above(100), pytest.raises(StorageError, match=r"predictions.csv .* make room"):
        write_text(path, "x" * 1000)

    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_folder_before(tmp_path: Path) -> None:
    path = tmp_path / "model"
    with whole_folder(path) as aside:
        (aside / "old").touch()

    def write_half() -> None:
        with whole_folder(path) as aside:
            (aside / "new").touch()
            raise OSError(errno.ENOSPC, "")

    with pytest.raises(StorageError, match=r"model cannot be written \(No space left on device"):
        write_half()

    assert [file.name for file in path.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [path]


def test_what_has_no_room_is_told_before_the_work(tmp_path: Path) -> None:
    require_room(tmp_path / "not" / "yet" / "there", 1)

    with pytest.raises(StorageError, match=r"takes 1,000,000,000.0 MB, and .* MB are free there"):
        require_room(tmp_path / "cache", 10**15)


def test_what_is_renamed_is_on_the_disk_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[tuple[int, bool]] = []
    model = tmp_path / "model"

    def fsync(descriptor: int) -> None:
        flushed.append((os.fstat(descriptor).st_ino, model.exists()))

    monkeypatch.setattr("os.fsync", fsync)
    with whole_folder(model) as aside:
        (aside / "weights").touch()

    paths = [(model / "weights", False), (model, False), (tmp_path, True)]
    assert flushed == [(path.stat().st_ino, renamed) for path, renamed in paths]


def test_two_writers_do_not_disturb_each_other(tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"

    with whole_file(path) as first:
        first.write_text("first")
        write_text(path, "second")
        assert path.read_text() == "second"

    assert path.read_text() == "first"


KILLED = """
import os, signal, sys
from pathlib import Path
from training.files import whole_file, whole_folder, write_text

def count(event, arguments, left=[int(sys.argv[1])]):
    if event in {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"}:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

folder = Path(sys.argv[2])
sys.addaudithook(count)
with whole_folder(folder / "model") as aside:
    (aside / "weights").write_text("new")
    (aside / "card").write_text("new")
write_text(folder / "history.csv", "new")
"""


def test_a_kill_before_any_step_leaves_all_whole_and_nothing_for_long(tmp_path: Path) -> None:
    model, history = tmp_path / "model", tmp_path / "history.csv"
    for steps in range(1, 100):
        with whole_folder(model) as aside:
            (aside / "weights").write_text("old")
        write_text(history, "old")
        command = [sys.executable, "-S", "-c", KILLED, str(steps), str(tmp_path)]
        killed = subprocess.run(command, check=False)

        files = {file.name: file.read_text() for file in model.iterdir()} if model.exists() else {}
        assert files in ({}, {"weights": "old"}, {"weights": "new", "card": "new"})
        assert history.read_text() in {"old", "new"}
        write_text(history, "next")
        assert {file.name for file in tmp_path.iterdir()} <= {"model", "history.csv"}
        if killed.returncode == 0:
            break
        assert killed.returncode == -signal.SIGKILL
    else:
        pytest.fail("the writer never came to its end")
    assert steps > 20
