"""Pictures by their names, and the classes that they are labelled with."""

from __future__ import annotations

import collections
import hashlib
import json
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from training.errors import DataError
from training.labelling import shared_folders
from training.source import Source


@dataclass(frozen=True)
class Labelled:
    """What is known of pictures before they are decoded."""

    names: tuple[str, ...]
    file_labels: tuple[str | None, ...]
    """As the source names them; None where it does not."""
    source: str

    def __len__(self) -> int:
        return len(self.names)

    @property
    def labels(self) -> tuple[str, ...]:
        """The distinct labels, sorted: their positions are the class indices."""
        return tuple(sorted({label for label in self.file_labels if label is not None}))

    @property
    def counts(self) -> dict[str, int]:
        """Pictures a label."""
        counter = collections.Counter(self.file_labels)
        return {label: counter[label] for label in self.labels}

    @property
    def files(self) -> list[tuple[str, str | None]]:
        """File names, without their folders, and labels."""
        files = [PurePosixPath(name).name for name in self.names]
        return list(zip(files, self.file_labels, strict=True))

    def digest(self) -> str:
        """Of `files`, in order: 64 hexadecimal digits."""
        return hashlib.sha256(json.dumps(self.files).encode()).hexdigest()

    def classes(self, labels: tuple[str, ...] | None = None) -> NDArray[np.int32]:
        """The class index of every picture, for the classes `labels` (by default, its own).

        Raises:
            DataError: See `check_labels`.
        """
        labels = labels or self.labels
        self.check_labels(labels)
        positions = {label: position for position, label in enumerate(labels)}
        return np.array([positions[str(label)] for label in self.file_labels], dtype=np.int32)

    def check_labels(self, labels: tuple[str, ...]) -> None:
        """Raise DataError unless every picture has one of `labels`, of which there are several."""
        nameless = [
            name for name, label in zip(self.names, self.file_labels, strict=True) if not label
        ]
        if nameless:
            raise DataError(
                f"{self.source}: nothing tells the label of {nameless[0]} ({len(nameless)} such "
                "pictures); name files 'label.number.jpg', or put the pictures in one folder a "
                "class."
            )
        folders, shared = shared_folders(self.names)
        if shared:
            raise DataError(
                f"{self.source}: {' and '.join(folders)} both have folders called "
                f"{', '.join(shared[:5])}, and either may be the labels; give the folder of one of "
                "them, or put all pictures of a class in one folder."
            )
        unknown = sorted(set(self.labels) - set(labels))
        if unknown:
            raise DataError(
                f"{self.source}: pictures are labelled {', '.join(unknown[:5])}, but the classes "
                f"are {', '.join(labels)}; rename them."
            )
        if len(labels) < 2:
            raise DataError(
                f"{self.source} holds pictures of one class only ({labels[0]}); "
                "training needs at least two."
            )


def listed(source: Source) -> Labelled:
    """All pictures of `source`, whether they can be decoded or not."""
    return Labelled(
        names=tuple(entry.name for entry in source.entries),
        file_labels=tuple(entry.label for entry in source.entries),
        source=source.name,
    )
