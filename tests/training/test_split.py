from __future__ import annotations

import numpy as np
import pytest

from training.errors import DataError
from training.split import stratified_split

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


def test_a_class_needs_pictures_on_both_sides() -> None:
    with pytest.raises(DataError, match="only 2 pictures"):
        stratified_split(np.array([0] * 10 + [1] * 2, dtype=np.int32), seed=1)


def test_what_is_excluded_leaves_the_training_alone() -> None:
    split = stratified_split(CLASSES, seed=1)
    trained, held_back = int(split.training[3]), int(split.validation[3])

    rest = split.excluding([trained, held_back])

    assert rest.training.tolist() == [one for one in split.training if one != trained]
    assert rest.validation.tolist() == split.validation.tolist()


def test_nothing_excluded_changes_nothing() -> None:
    split = stratified_split(CLASSES, seed=1)

    assert split.excluding([]).training.tolist() == split.training.tolist()
