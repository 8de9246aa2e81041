from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.errors import DataError
from training.split import FEWEST, read_trained, require_enough, stratified_split

CLASSES = np.array([0] * 50 + [1] * 30 + [2] * 20, dtype=np.int32)


def test_every_picture_is_on_one_side() -> None:
    split = stratified_split(CLASSES, seed=1)

    assert sorted([*split.training, *split.validation]) == list(range(100))


def test_a_fifth_of_every_class_is_held_back() -> None:
    split = stratified_split(CLASSES, seed=1)

    assert np.bincount(CLASSES[split.validation]).tolist() == [10, 6, 4]


def test_the_seed_decides() -> None:
    first, again, other = (stratified_split(CLASSES, seed).validation for seed in (1, 1, 2))

    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


def test_the_fewest_pictures_of_a_class_are_on_both_sides() -> None:
    split = stratified_split(np.zeros(FEWEST, dtype=np.int32), seed=1)

    assert (len(split.training), len(split.validation)) == (2, 1)
    require_enough({"cat": FEWEST}, "mine")


def test_all_classes_that_are_too_small_are_named() -> None:
    with pytest.raises(DataError, match=r"mine has too few pictures of fox \(2\), owl \(1\); each"):
        require_enough({"cat": 10, "fox": 2, "owl": 1}, "mine")


def test_what_is_excluded_leaves_the_training_alone() -> None:
    split = stratified_split(CLASSES, seed=1)
    trained, held_back = int(split.training[3]), int(split.validation[3])

    rest = split.excluding([trained, held_back])

    assert rest.training.tolist() == [one for one in split.training if one != trained]
    assert rest.validation.tolist() == split.validation.tolist()


def test_nothing_excluded_changes_nothing() -> None:
    split = stratified_split(CLASSES, seed=1)

    assert split.excluding([]).training.tolist() == split.training.tolist()


def test_what_was_trained_on_is_known_by_name_and_label(tmp_path: Path) -> None:
    path = tmp_path / "split.csv"
    rows = ["a/cat/1.jpg,cat,training", "a/dog/1.jpg,dog,excluded", "a/dog/2.jpg,dog,validation"]
    path.write_text("\n".join(["file,label,part", *rows]))

    assert read_trained(path) == {("1.jpg", "cat")}
