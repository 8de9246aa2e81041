from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.images import decode_image
from tests.app.pictures import GREEN, picture
from tests.training.pictures import CAT, DOG, kaggle_files, write_files, write_zip
from training.data import Dataset, load_dataset
from training.errors import DataError
from training.source import open_source

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


def test_labels_are_sorted_and_counted(archive: Path) -> None:
    dataset = load(archive)

    assert dataset.labels == ("cat", "dog")
    assert dataset.counts == {"cat": 3, "dog": 3}
    assert dataset.classes().tolist() == [0, 0, 0, 1, 1, 1]


def test_classes_follow_the_labels_of_a_model(archive: Path) -> None:
    assert load(archive).classes(("dog", "cat", "cow")).tolist() == [1, 1, 1, 0, 0, 0]


def test_unreadable_pictures_are_skipped_and_named(tmp_path: Path) -> None:
    files = {**kaggle_files(2), "train/cat.9.jpg": b"", "train/dog.9.jpg": DOG[:200]}
    dataset = load(write_zip(tmp_path / "train.zip", files))

    assert len(dataset) == len(dataset.pixels) == 4
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


@pytest.mark.parametrize("damage", ["pixels.npy", "index.json"])
def test_damaged_cache_is_rebuilt(archive: Path, damage: str) -> None:
    before = load(archive).pixels.copy()
    (file,) = (archive.parent / "cache").glob(f"*/{damage}")
    file.write_bytes(file.read_bytes()[:-1])

    np.testing.assert_array_equal(load(archive).pixels, before)


def test_interrupted_decoding_leaves_nothing(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("training.data.decode_entries", interrupted)
        with pytest.raises(KeyboardInterrupt):
            load(archive)

    assert list((archive.parent / "cache").iterdir()) == []
    assert len(load(archive)) == 6


def test_no_usable_picture_is_an_error(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "train.zip", {"cat.0.jpg": b"no", "dog.0.jpg": b"no"})

    with pytest.raises(DataError, match=r"No picture of .* can be decoded"):
        load(path)


def test_one_class_is_an_error(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "train.zip", {"cat.0.jpg": CAT, "cat.1.jpg": CAT})

    with pytest.raises(DataError, match="one class only"):
        load(path).classes()


def test_class_that_a_model_does_not_know_is_an_error(archive: Path) -> None:
    with pytest.raises(DataError, match="labelled dog, but the classes are cat, cow"):
        load(archive).classes(("cat", "cow"))
