"""Which pictures are trained on, and which are held back for validation."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.data import Dataset
from training.errors import DataError
from training.files import write_text

VALIDATION_SHARE = 0.2
FEWEST = 3
"""Pictures of a class, to have some on both sides."""

_COLUMNS = ["file", "label", "part"]
_TRAINING, _VALIDATION = "training", "validation"


class Split(NamedTuple):
    """Positions in a data set, each sorted; those of excluded pictures are in neither."""

    training: NDArray[np.intp]
    validation: NDArray[np.intp]

    def excluding(self, positions: Collection[int]) -> Split:
        """The same without `positions` in the training; what is validated on stays as it is."""
        kept = np.isin(self.training, list(positions), invert=True)
        return self._replace(training=self.training[kept])


def require_enough(counts: Mapping[str, int], source: str) -> None:
    """Raise DataError if a class of `source` has too few pictures to be on both sides.

    Args:
        counts: Pictures a label.
        source: What to call them.
    """
    small = [f"{label} ({count})" for label, count in counts.items() if count < FEWEST]
    if small:
        raise DataError(
            f"{source} has too few pictures of {', '.join(small)}; each class needs at least "
            f"{FEWEST}, better hundreds."
        )


def stratified_split(classes: NDArray[np.int32], seed: int) -> Split:
    """Hold back a fifth of every class, chosen by `seed`.

    Args:
        classes: The class index of every picture, shape (n,); for what each class needs, see
            `require_enough`.
        seed: The same one gives the same split of the same pictures.
    """
    random = np.random.default_rng(seed)
    validation = []
    for index in np.unique(classes):
        members = np.flatnonzero(classes == index)
        held_back = round(len(members) * VALIDATION_SHARE)
        validation.append(random.permutation(members)[:held_back])
    held = np.sort(np.concatenate(validation))
    return Split(np.setdiff1d(np.arange(len(classes)), held), held)


def read_split(path: Path) -> Split:
    """The inverse of `write_split`, for the same pictures.

    Raises:
        ValueError: The file is not as `write_split` leaves it.
    """
    parts = np.array([part for _, _, part in _rows(path)])
    return Split(np.flatnonzero(parts == _TRAINING), np.flatnonzero(parts == _VALIDATION))


def read_trained(path: Path) -> frozenset[tuple[str, str]]:
    """File names, without their folders, and labels of what was trained on.

    Raises:
        ValueError: The file is not as `write_split` leaves it.
    """
    return frozenset(
        (PurePosixPath(name).name, label) for name, label, part in _rows(path) if part == _TRAINING
    )


def _rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    if header != _COLUMNS:
        raise ValueError(f"its columns are {','.join(header)}")
    return rows


def write_split(path: Path, dataset: Dataset, split: Split) -> None:
    """Write a CSV `file,label,part`, a row a picture."""
    parts = np.full(len(dataset), "excluded", dtype=object)
    parts[split.training] = _TRAINING
    parts[split.validation] = _VALIDATION
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(zip(dataset.names, dataset.file_labels, parts, strict=True))
    write_text(path, text.getvalue())
