"""The pictures of a part, read one after another and decoded ahead of their turn."""

from __future__ import annotations

import collections
import contextlib
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from app.images import ImageError, decode_image
from training.bulk.listing import Piece, folder_of
from training.bulk.shards import Picture, is_shard, shard_pictures
from training.data import LONGEST_SECONDS, Skipped
from training.errors import DataError, may_pass
from training.source import Entry, Source, open_source, read_file

Pixels: TypeAlias = NDArray[np.uint8]
Decoded: TypeAlias = tuple[str, Pixels | Skipped]
"""A name, and pixels of shape (height, width, 3), or why there are none."""


class Reader:
    """Reads the pieces of a source. One thread at a time uses it.

    Args:
        folder: Where the names of pieces begin, but for those of an archive.
        archive: It, if the source is one.
    """

    def __init__(self, folder: Path, archive: Source | None) -> None:
        self._folder = folder
        self._archive = archive

    def pictures(self, pieces: Iterable[Piece]) -> Iterator[Picture]:
        """The pictures of some pieces, in their order.

        Raises:
            DataError: One cannot be read for now: a disk or a network fails.
        """
        for piece in pieces:
            if is_shard(piece.name):
                yield from shard_pictures(self._folder / piece.name, *piece)
            else:
                yield piece.name, self._read(piece.name)

    def _read(self, name: str) -> bytes | Skipped:
        try:
            if self._archive is not None:
                return self._archive.read(Entry(name, None))
            return read_file(self._folder / name)
        except (DataError, ImageError) as error:
            if may_pass(error.__cause__):
                raise
            return Skipped(name, str(error))


@contextlib.contextmanager
def open_reader(source: Path) -> Iterator[Reader]:
    """Open what `SourceListing` lists.

    Raises:
        DataError: It is an archive, and damaged.
        StorageError: There is no room to unpack an archive in the archive.
    """
    folder = folder_of(source)
    if folder is not None:
        yield Reader(folder, None)
        return
    with open_source(source) as archive:
        yield Reader(source.parent, archive)


def decode_ahead(
    pictures: Iterable[Picture], size: tuple[int, int], threads: Executor, count: int
) -> Iterator[Decoded]:
    """Decode pictures in other threads, up to `count` before they are asked for.

    Args:
        pictures: In the order in which they are to come out.
        size: Height and width of the pixels.
        threads: To decode in.
        count: Of pictures that wait, decoded or not.
    """
    waiting: collections.deque[tuple[str, Future[Pixels | Skipped]]] = collections.deque()
    for name, data in pictures:
        waiting.append((name, threads.submit(_decode, name, data, size)))
        if len(waiting) > count:
            yield _first(waiting)
    while waiting:
        yield _first(waiting)


def _first(waiting: collections.deque[tuple[str, Future[Pixels | Skipped]]]) -> Decoded:
    name, pixels = waiting.popleft()
    return name, pixels.result()


def _decode(name: str, data: bytes | Skipped, size: tuple[int, int]) -> Pixels | Skipped:
    if isinstance(data, Skipped):
        return data
    try:
        return decode_image(data, size, max_seconds=LONGEST_SECONDS).pixels
    except ImageError as error:
        return Skipped(name, str(error))
