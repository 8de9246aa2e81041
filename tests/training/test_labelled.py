from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.pictures import CAT, DOG, kaggle_files, write_zip
from training.errors import DataError
from training.labelled import Labelled, listed
from training.source import open_source


def read(path: Path) -> Labelled:
    with open_source(path) as source:
        return listed(source)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return write_zip(tmp_path / "train.zip", kaggle_files(3))


def test_labels_are_sorted_and_counted(archive: Path) -> None:
    pictures = read(archive)

    assert pictures.labels == ("cat", "dog")
    assert pictures.counts == {"cat": 3, "dog": 3}
    assert pictures.classes().tolist() == [0, 0, 0, 1, 1, 1]


def test_classes_follow_the_labels_of_a_model(archive: Path) -> None:
    assert read(archive).classes(("dog", "cat", "cow")).tolist() == [1, 1, 1, 0, 0, 0]


def test_one_class_is_an_error(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "train.zip", {"cat.0.jpg": CAT, "cat.1.jpg": CAT})

    with pytest.raises(DataError, match="one class only"):
        read(path).classes()


def test_class_that_a_model_does_not_know_is_an_error(archive: Path) -> None:
    with pytest.raises(DataError, match="labelled dog, but the classes are cat, cow"):
        read(archive).classes(("cat", "cow"))


def test_a_picture_without_a_label_is_named(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"None/1.jpg": CAT, "dog/1.jpg": DOG, "cover.jpg": CAT})

    with pytest.raises(DataError, match=r"nothing tells the label of cover\.jpg \(1 such"):
        read(path).classes()


def test_folders_that_may_be_parts_are_no_labels(tmp_path: Path) -> None:
    files = {f"{part}/{label}/1.jpg": CAT for part in ("one", "two") for label in ("cat", "dog")}

    with pytest.raises(DataError, match="one and two both have folders called cat, dog"):
        read(write_zip(tmp_path / "a.zip", files)).classes()
