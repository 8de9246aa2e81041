"""Decoded pictures, memory-mapped: decoded once, read by every epoch."""

from __future__ import annotations

import collections
import concurrent.futures
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from app.images import DECODING, ImageError, decode_image
from training.errors import DataError
from training.files import whole_folder
from training.source import Entry, Source

DEFAULT_CACHE = Path("cache")

_PIXELS = "pixels.npy"
_INDEX = "index.json"
_AHEAD = 256  # pictures read before the first of them is written


@dataclass(frozen=True)
class Skipped:
    """A picture that could not be decoded, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Dataset:
    """The usable pictures of a source."""

    pixels: NDArray[np.uint8]
    """Shape (n, side, side, 3), memory-mapped and read-only."""
    names: tuple[str, ...]
    file_labels: tuple[str | None, ...]
    """As the source names them; None where it does not."""
    skipped: tuple[Skipped, ...]
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

    def classes(self, labels: tuple[str, ...] | None = None) -> NDArray[np.int32]:
        """The class index of every picture, for the classes `labels` (by default, its own).

        Raises:
            DataError: A picture has no label, or one that is not in `labels`, or there is
                only one class.
        """
        labels = labels or self.labels
        unknown = sorted({str(label) for label in self.file_labels} - set(labels))
        if unknown:
            raise DataError(
                f"{self.source}: pictures are labelled {', '.join(unknown[:5])}, but the classes "
                f"are {', '.join(labels)}; name files 'label.number.jpg', or put the pictures "
                "in one folder a class."
            )
        if len(labels) < 2:
            raise DataError(
                f"{self.source} holds pictures of one class only ({labels[0]}); "
                "training needs at least two."
            )
        positions = {label: position for position, label in enumerate(labels)}
        return np.array([positions[str(label)] for label in self.file_labels], dtype=np.int32)


def load_dataset(source: Source, side: int, cache: Path = DEFAULT_CACHE) -> Dataset:
    """The pictures of `source` at `side` x `side`, from the cache if it holds them.

    The cache's key is made of the source's content and the way of decoding; a folder of the
    cache appears only once it is complete.

    Raises:
        DataError: No picture can be decoded.
    """
    settings = [source.fingerprint(), DECODING, side]
    folder = cache / hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:16]
    if not _is_complete(folder):
        with whole_folder(folder) as aside:
            _decode_all(source, side, aside)
    index = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
    return Dataset(
        pixels=np.load(folder / _PIXELS, mmap_mode="r"),
        names=tuple(index["names"]),
        file_labels=tuple(index["labels"]),
        skipped=tuple(Skipped(**skipped) for skipped in index["skipped"]),
        source=source.name,
    )


def _is_complete(folder: Path) -> bool:
    try:
        index = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
        return bool((folder / _PIXELS).stat().st_size == index["bytes"])
    except (OSError, ValueError, KeyError):
        return False


def _decode_all(source: Source, side: int, folder: Path) -> None:
    shape = (len(source.entries), side, side, 3)
    partial = folder / "all.npy"
    pixels = np.lib.format.open_memmap(partial, mode="w+", dtype=np.uint8, shape=shape)
    kept: list[Entry] = []
    skipped: list[Skipped] = []
    decoded = decode_entries(source, side)
    for entry, picture in tqdm(
        decoded, desc=f"decoding at {side}x{side}", total=shape[0], unit="img"
    ):
        if isinstance(picture, Skipped):
            skipped.append(picture)
        else:
            pixels[len(kept)] = picture
            kept.append(entry)
    if not kept:
        raise DataError(f"No picture of {source.path} can be decoded: {skipped[0].reason}")
    pixels.flush()
    if skipped:
        np.save(folder / _PIXELS, pixels[: len(kept)])
        partial.unlink()
    else:
        partial.rename(folder / _PIXELS)
    index = {
        "names": [entry.name for entry in kept],
        "labels": [entry.label for entry in kept],
        "skipped": [{"name": one.name, "reason": one.reason} for one in skipped],
        "bytes": (folder / _PIXELS).stat().st_size,
    }
    (folder / _INDEX).write_text(json.dumps(index), encoding="utf-8")


def decode_entries(
    source: Source, side: int
) -> Iterator[tuple[Entry, NDArray[np.uint8] | Skipped]]:
    """Every picture of a source in its order, `(side, side, 3)`, or why it cannot be decoded."""

    def decode(entry: Entry) -> NDArray[np.uint8] | Skipped:
        try:
            return decode_image(source.read(entry), (side, side)).pixels
        except (ImageError, OSError) as error:
            return Skipped(entry.name, str(error))

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(source.entries), _AHEAD):
            some = source.entries[start : start + _AHEAD]
            yield from zip(some, pool.map(decode, some), strict=True)
