"""Decoded pictures, memory-mapped: decoded once, read by every epoch."""

from __future__ import annotations

import concurrent.futures
import hashlib
import io
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from app.card import DataSummary
from app.images import DECODING, ImageError, decode_image
from training.errors import DataError
from training.files import require_room, whole_folder
from training.labelled import Labelled
from training.lock import locked
from training.source import Entry, Source

DEFAULT_CACHE = Path("cache")
MOST_SKIPPED = 0.1
"""Share of the pictures that may be undecodable before a data set is refused."""
LONGEST_SECONDS = 60
"""To decode a picture in: more than serving takes, since how busy a machine is must not decide what
is trained on."""

_PIXELS = "pixels.npy"
_INDEX = "index.json"
_LOCK = ".lock"
_AHEAD = 256  # pictures read before the first of them is written


@dataclass(frozen=True)
class Skipped:
    """A picture that could not be decoded, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Dataset(Labelled):
    """The usable pictures of a source."""

    pixels: NDArray[np.uint8]
    """Shape (n, side, side, 3), memory-mapped and read-only."""
    skipped: tuple[Skipped, ...]


def holds_pictures_of(dataset: Dataset, summary: DataSummary) -> bool:
    """Whether a model was trained on these pictures, so that its split is theirs too.

    Where the summary has no digest, as many pictures of each label are taken for the same.
    """
    if summary.pictures is None:
        return dataset.counts == summary.counts
    return dataset.digest() == summary.pictures


def load_dataset(source: Source, side: int, cache: Path = DEFAULT_CACHE) -> Dataset:
    """The pictures of `source` at `side` x `side`, from the cache if it holds them.

    The cache's key is made of the source's content and the way of decoding; a folder of the
    cache appears only once it is complete, and one process at a time fills it.

    Raises:
        DataError: More pictures than `MOST_SKIPPED` cannot be decoded, or they change meanwhile.
        StorageError: There is no room for them.
    """
    fingerprint = source.fingerprint()
    settings = [fingerprint, DECODING, side]
    folder = cache / hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:16]
    cached = _read_cached(source, side, folder)
    if cached is not None:
        return cached
    cache.mkdir(parents=True, exist_ok=True)
    with locked(cache / _LOCK, waiting=f"Waiting for another command that fills {cache}."):
        cached = _read_cached(source, side, folder)
        if cached is not None:
            return cached
        require_room(folder, len(source.entries) * side * side * 3)
        with whole_folder(folder) as aside:
            _decode_all(source, side, aside)
            if source.fingerprint() != fingerprint:
                raise DataError(f"{source.path} changed while it was read; run the command again.")
    decoded = _read_cached(source, side, folder)
    if decoded is None:
        raise DataError(f"{folder} was changed by somebody else; run the command again.")
    return decoded


def _read_cached(source: Source, side: int, folder: Path) -> Dataset | None:
    """None where the cache holds no such pictures, or not as many as it should."""
    try:
        index = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
        skipped = tuple(Skipped(**one) for one in index["skipped"])
        undecodable = {one.name for one in skipped}
        kept = [entry for entry in source.entries if entry.name not in undecodable]
        if not _is_whole(folder / _PIXELS, len(kept), side):
            return None
        pixels = np.load(folder / _PIXELS, mmap_mode="r")
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Dataset(
        pixels=pixels,
        names=tuple(entry.name for entry in kept),
        file_labels=tuple(entry.label for entry in kept),
        skipped=skipped,
        source=source.name,
    )


def _is_whole(path: Path, count: int, side: int) -> bool:
    header = _header(count, side)
    with path.open("rb") as file:
        begins_right = file.read(len(header)) == header
    return begins_right and path.stat().st_size == len(header) + count * side * side * 3


def _decode_all(source: Source, side: int, folder: Path) -> None:
    total, count = len(source.entries), 0
    skipped: list[Skipped] = []
    decoded = decode_entries(source, side)
    # Written in order, not mapped: a mapped file on a full disk ends the process without a word.
    with (folder / _PIXELS).open("wb") as file:
        file.write(_header(total, side))
        for _, picture in tqdm(decoded, desc=f"decoding at {side}x{side}", total=total, unit="img"):
            if isinstance(picture, Skipped):
                skipped.append(picture)
                _check_skipped(source, skipped)
            else:
                file.write(picture.tobytes())
                count += 1
        file.seek(0)
        file.write(_header(count, side))
    index = {"skipped": [asdict(one) for one in skipped]}
    (folder / _INDEX).write_text(json.dumps(index), encoding="utf-8")


def _header(count: int, side: int) -> bytes:
    """Of a NumPy file; as long for any `count`, since NumPy leaves room for it to grow."""
    file = io.BytesIO()
    values = {"descr": "|u1", "fortran_order": False, "shape": (count, side, side, 3)}
    np.lib.format.write_array_header_1_0(file, values)
    return file.getvalue()


def _check_skipped(source: Source, skipped: list[Skipped]) -> None:
    if len(skipped) > MOST_SKIPPED * len(source.entries):
        raise DataError(
            f"More than {MOST_SKIPPED:.0%} of the pictures of {source.path} cannot be decoded, "
            f"the first of them {skipped[0].name}: {skipped[0].reason}"
        )


def decode_entries(
    source: Source, side: int
) -> Iterator[tuple[Entry, NDArray[np.uint8] | Skipped]]:
    """Every picture of a source in its order, `(side, side, 3)`, or why it cannot be decoded.

    Raises:
        DataError: A file cannot be read, which says nothing of the picture.
    """

    def decode(entry: Entry) -> NDArray[np.uint8] | Skipped:
        try:
            data = source.read(entry)
            return decode_image(data, (side, side), max_seconds=LONGEST_SECONDS).pixels
        except ImageError as error:
            return Skipped(entry.name, str(error))

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(source.entries), _AHEAD):
            some = source.entries[start : start + _AHEAD]
            yield from zip(some, pool.map(decode, some), strict=True)
