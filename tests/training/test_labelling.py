from __future__ import annotations

import unicodedata

import pytest

from training.labelling import labels_of, shared_folders, training_names


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["cat/1.jpg", "dog/1.jpg"], ["cat", "dog"]),
        (["data/cat/1.jpg", "data/dog/1.jpg"], ["cat", "dog"]),
        (
            ["cat/1.jpg", "cat/old/2.jpg", "dog/in/1.jpg", "dog/out/1.jpg"],
            ["cat"] * 2 + ["dog"] * 2,
        ),
        (["train/cat.0.jpg", "train/guinea pig.1.2.png"], ["cat", "guinea pig"]),
        (["train/1.jpg", "train/2.jpg"], [None, None]),
        (["1.jpg", "cat/1.jpg"], [None, "cat"]),
        ([], []),
    ],
)
def test_labels_are_those_of_the_first_folders_that_differ_or_of_the_files(
    names: list[str], labels: list[str | None]
) -> None:
    assert labels_of(names) == labels


def test_labels_that_look_alike_are_the_same() -> None:
    composed, decomposed = (unicodedata.normalize(form, "H\u00fchner") for form in ("NFC", "NFD"))
    assert composed != decomposed

    assert set(labels_of([f"{composed}/1.jpg", f"{decomposed}/2.jpg", "x/1.jpg"])) == {
        composed,
        "x",
    }


@pytest.mark.parametrize("top", ["", "dogs-vs-cats/"])
@pytest.mark.parametrize(
    ("training", "held_back"),
    [
        ("train", "test1"),
        ("Train", "val"),
        ("training_set", "test_set"),
        ("training", "evaluation"),
    ],
)
@pytest.mark.parametrize("rest", ["cat.0.jpg", "cat/0.jpg"])
def test_only_the_training_is_trained_on(
    top: str, training: str, held_back: str, rest: str
) -> None:
    names = [f"{top}{folder}/{rest}" for folder in (training, held_back)]

    assert training_names(names) == names[:1]


@pytest.mark.parametrize(
    "names",
    [
        ["train/1.jpg", "tram/1.jpg"],
        ["val/cat/1.jpg", "test/cat/1.jpg"],
        ["train/1.jpg", "training/1.jpg"],
        ["train/1.jpg", "2.jpg"],
        ["train/1.jpg"],
        [],
    ],
)
def test_folders_of_other_names_are_all_trained_on(names: list[str]) -> None:
    assert training_names(names) == names


@pytest.mark.parametrize(
    ("names", "folders", "shared"),
    [
        (["a/cat/1.jpg", "a/dog/1.jpg", "b/dog/2.jpg"], ["a", "b"], ["dog"]),
        (["data/train/train/x/1.jpg", "data/test/test/x/1.jpg"], ["test", "train"], ["x"]),
        (["cat/old/1.jpg", "dog/new/1.jpg", "dog/2.jpg", "1.jpg"], [], []),
        (["cat/1.jpg", "dog/1.jpg"], [], []),
        (["1.jpg", "2.jpg"], [], []),
        ([], [], []),
    ],
)
def test_folders_with_the_same_sub_folders_are_found(
    names: list[str], folders: list[str], shared: list[str]
) -> None:
    assert shared_folders(names) == (folders, shared)
