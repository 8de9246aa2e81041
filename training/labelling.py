"""What a picture's path tells: whether it is to be trained on, and its label."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath

_TRAINING = frozenset({"train", "training", "training_set"})
_HELD_BACK = frozenset(
    {
        *("val", "valid", "validation", "validation_set", "eval", "evaluation", "dev", "holdout"),
        *("test", "test1", "testing", "test_set"),
    }
)
_LABELLED_NAME = re.compile(r"([^.]+)\..+\.[^.]+")


def training_names(names: Sequence[str]) -> list[str]:
    """Those in the folder of the training, where the others are of a validation or a test.

    Where the folders have other names, or there is but one, all of them.
    """
    depth = _common_depth(names)
    folders = {name: _folders(name)[depth : depth + 1] for name in names}
    tops = {folder.lower() for inner in folders.values() for folder in inner}
    trained = tops & _TRAINING
    if not all(folders.values()) or len(trained) != 1 or not tops <= _TRAINING | _HELD_BACK:
        return list(names)
    return [name for name, inner in folders.items() if inner[0].lower() in trained]


def labels_of(names: Sequence[str]) -> list[str | None]:
    """The label of each picture, None where nothing tells it.

    Where pictures lie in several folders, it is the folder's name, of the first that differ; a
    class may have folders of its own. Else it is the beginning of the file's name, up to the first
    dot ("cat.0.jpg").
    """
    depth = _common_depth(names)
    folders = [_folders(name)[depth:] for name in names]
    if any(folders):
        labels = [inner[0] if inner else None for inner in folders]
    else:
        labels = [_label_in(PurePosixPath(name).name) for name in names]
    return [label and unicodedata.normalize("NFC", label) for label in labels]


def shared_folders(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Two folders that would be labels, and sub-folders that both have; empty where none do.

    The sub-folders may be the labels, and the folders parts of the pictures.
    """
    depth = _common_depth(names)
    inside: dict[str, set[str]] = {}
    for name in names:
        top, *below = _folders(name)[depth:] or [""]
        inside.setdefault(top, set()).update(below)
    for one, other in itertools.combinations(sorted(inside), 2):
        if both := inside[one] & inside[other]:
            return [one, other], sorted(both)
    return [], []


def _folders(name: str) -> list[str]:
    return list(PurePosixPath(name).parts[:-1])


def _common_depth(names: Sequence[str]) -> int:
    """How many folders all paths have in common."""
    folders = sorted(map(_folders, names))  # whatever the first and the last share, all do
    if not folders:
        return 0
    pairs = zip(folders[0], folders[-1], strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _label_in(file: str) -> str | None:
    match = _LABELLED_NAME.fullmatch(file)
    return match.group(1) if match else None
