from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from app.images import DecodedImage, decode_image
from tests.app.pictures import GREEN, picture
from tests.training.disk import no_file_above
from tests.training.pictures import CAT, DOG, kaggle_files, write_files, write_zip
from training.data import Dataset, decode_entries, load_dataset
from training.errors import DataError, StorageError
from training.source import Source, open_source

SIDE = 20


def load(path: Path, side: int = SIDE) -> Dataset:
    """Load with the cache beside `path`."""
    with open_source(path) as source:
        return load_dataset(source, side, path.parent / "cache")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return write_zip(tmp_path / "train.zip", kaggle_files(3))


def test_pixels_are_those_that_the_service_sees(archive: Path) -> None:
    dataset = load(archive)

    assert dataset.pixels.shape == (6, SIDE, SIDE, 3)
    assert dataset.pixels.dtype == np.uint8
    for pixels, label in zip(dataset.pixels, dataset.file_labels, strict=True):
        served = decode_image({"cat": CAT, "dog": DOG}[str(label)], (SIDE, SIDE)).pixels
        np.testing.assert_array_equal(pixels, served)


def test_unreadable_pictures_are_skipped_and_named(tmp_path: Path) -> None:
    files = {**kaggle_files(9), "train/cat.9.jpg": b"", "train/dog.9.jpg": DOG[:200]}
    dataset = load(write_zip(tmp_path / "train.zip", files))

    assert len(dataset) == len(dataset.pixels) == 18
    assert [one.name for one in dataset.skipped] == ["train/cat.9.jpg", "train/dog.9.jpg"]
    assert all(one.reason for one in dataset.skipped)


def test_second_load_decodes_nothing(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(archive)
    monkeypatch.setattr("training.data.decode_entries", None)

    second = load(archive)

    assert isinstance(second.pixels, np.memmap)
    assert second.names == first.names
    np.testing.assert_array_equal(second.pixels, first.pixels)


def test_other_content_is_decoded_anew(archive: Path) -> None:
    before = load(archive)
    write_zip(archive, {**kaggle_files(3), "train/cat.0.jpg": picture(GREEN)})

    assert np.any(load(archive).pixels[0] != before.pixels[0])


def test_changed_file_in_a_folder_is_decoded_anew(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "train", kaggle_files(3, folder=""))
    before = load(folder)
    write_files(folder, {"cat.0.jpg": picture(GREEN)})

    assert np.any(load(folder).pixels[0] != before.pixels[0])


def test_other_size_has_a_cache_of_its_own(archive: Path) -> None:
    assert load(archive, 10).pixels.shape == (6, 10, 10, 3)
    assert load(archive, 12).pixels.shape == (6, 12, 12, 3)


DAMAGE: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "cut short": ("pixels.npy", lambda data: data[:-1]),
    "longer": ("pixels.npy", lambda data: data + b"0"),
    "shape": ("pixels.npy", lambda data: data.replace(b"(6, 20, 20, 3)", b"(5, 20, 24, 3)")),
    "dtype": ("pixels.npy", lambda data: data.replace(b"|u1", b"|i1")),
    "empty": ("pixels.npy", lambda _: b""),
    "index cut short": ("index.json", lambda data: data[:-1]),
    "skipped too many": (
        "index.json",
        lambda data: data.replace(b"[]", b'[{"name": "train/dog.0.jpg", "reason": ""}]'),
    ),
    "no reason": ("index.json", lambda data: data.replace(b"[]", b"[{}]")),
    "no name": (
        "index.json",
        lambda data: data.replace(b"[]", b'[{"name": [], "reason": ""}]'),
    ),
    "another index": ("index.json", lambda _: b"[]"),
    "no text": ("index.json", lambda _: b"\xff"),
}


@pytest.mark.parametrize(("name", "damage"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_cache_is_filled_anew(
    archive: Path, name: str, damage: Callable[[bytes], bytes]
) -> None:
    before = load(archive).pixels.copy()
    (file,) = (archive.parent / "cache").glob(f"*/{name}")
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert file.read_bytes() != whole

    np.testing.assert_array_equal(load(archive).pixels, before)
    assert file.read_bytes() == whole


def test_interrupted_decoding_leaves_nothing(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("training.data.decode_entries", interrupted)
        with pytest.raises(KeyboardInterrupt):
            load(archive)

    assert [path.name for path in (archive.parent / "cache").iterdir()] == [".lock"]
    assert len(load(archive)) == 6


def test_a_full_disk_is_told_in_a_sentence_and_leaves_nothing(archive: Path) -> None:
    with no_file_above(5000), pytest.raises(StorageError, match=r"cannot be written .* make room"):
        load(archive)

    assert [path.name for path in (archive.parent / "cache").iterdir()] == [".lock"]
    assert len(load(archive)) == 6


def test_a_disk_that_is_too_small_is_told_before_anything_is_decoded(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1_500_000))
    monkeypatch.setattr("training.data.decode_entries", lambda *_: pytest.fail("decoded"))

    with pytest.raises(StorageError, match=r"takes 1\.8 MB, and 1\.5 MB are free there"):
        load(archive, side=320)


def test_pictures_that_another_command_decodes_meanwhile_are_waited_for(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextlib.contextmanager
    def held_by_another(path: Path, waiting: str) -> Iterator[None]:
        assert waiting == f"Waiting for another command that fills {path.parent}."
        with monkeypatch.context() as other:
            other.setattr("training.data.locked", lambda *_, **__: contextlib.nullcontext())
            load(archive)
        monkeypatch.setattr("training.data.decode_entries", lambda *_: pytest.fail("decoded twice"))
        yield

    monkeypatch.setattr("training.data.locked", held_by_another)

    assert len(load(archive)) == 6


def test_pictures_that_change_while_they_are_read_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_files(tmp_path / "train", kaggle_files(3, folder=""))

    def decode_and_change(source: Source, side: int) -> Iterator[object]:
        yield from decode_entries(source, side)
        write_files(folder, {"cat.0.jpg": picture(GREEN)})

    with monkeypatch.context() as patch:
        patch.setattr("training.data.decode_entries", decode_and_change)
        with pytest.raises(DataError, match="changed while it was read; run the command again"):
            load(folder)

    assert load(folder).pixels[0, 0, 0, 1] > load(folder).pixels[1, 0, 0, 1]


def test_a_file_that_cannot_be_read_is_no_broken_picture(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "train", kaggle_files(20, folder=""))
    with open_source(folder) as source:
        (folder / "cat.7.jpg").unlink()

        with pytest.raises(DataError, match=r"cat\.7\.jpg cannot be read \(No such file"):
            list(decode_entries(source, SIDE))


@pytest.mark.parametrize("usable", [0, 8])
def test_more_than_a_tenth_of_unusable_pictures_is_an_error(tmp_path: Path, usable: int) -> None:
    files = {**kaggle_files(usable, folder=""), "a.0.jpg": b"no", "a.1.jpg": b"no"}
    path = write_zip(tmp_path / "train.zip", files)

    with pytest.raises(DataError, match=r"More than 10% .*, the first of them a\.0\.jpg: The file"):
        load(path)


def test_pictures_may_take_long_to_decode(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = set()

    def decode(*arguments: Any, max_seconds: float) -> DecodedImage:
        seconds.add(max_seconds)
        return decode_image(*arguments)

    monkeypatch.setattr("training.data.decode_image", decode)
    load(archive)

    assert seconds == {60}
