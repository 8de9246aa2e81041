"""What is to be scored, listed before it is read, and cut into parts."""

from __future__ import annotations

import collections
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from training.bulk.shards import PARQUET, is_shard, row_groups
from training.errors import DataError, RunError, brief
from training.files import whole_file
from training.source import check_name, files_below, is_hidden, is_picture, open_source, stamp_file

PICTURES_A_PART = 1000
_SCHEMA = pa.schema([("name", pa.string()), ("row_group", pa.int32())])


class Piece(NamedTuple):
    """What is opened at once: a picture, a tar shard, or a row group of a Parquet shard."""

    name: str
    """Path below the source's folder, or within its archive, with forward slashes."""
    row_group: int | None = None


class _Listed(NamedTuple):
    piece: Piece
    stamp: tuple[int, int]
    """Changes when the piece does."""


class SourceListing:
    """The pieces of a folder, an archive or a single file, in an order that is always the same.

    Names are held in memory a folder at a time, and those of an archive's members all at once;
    pictures are not.
    """

    def __init__(self, source: Path) -> None:
        self._source = source
        self._digest = hashlib.sha256()

    @property
    def fingerprint(self) -> str:
        """Changes when any piece that was listed changes; 64 hexadecimal digits."""
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[Piece]:
        """List anew.

        Raises:
            DataError: The source is missing, empty or damaged.
        """
        self._digest = hashlib.sha256()
        empty = True
        listed = _list(self._source)
        for piece, stamp in tqdm(listed, desc="listing", unit="file", leave=False):
            empty = False
            check_name(self._source, piece.name)
            self._digest.update(json.dumps([*piece, *stamp]).encode() + b"\n")
            yield piece
        if empty:
            raise DataError(
                f"{self._source} holds no pictures; give a folder of image files, of Parquet or "
                "of tar shards, or a zip archive."
            )


def folder_of(source: Path) -> Path | None:
    """The folder that the names of a source's pieces begin at; None for an archive."""
    if source.is_dir():
        return source
    return source.parent if _is_wanted(source.name) else None


def fingerprint(source: Path) -> str:
    """What `write_listing` returns, without writing."""
    listing = SourceListing(source)
    collections.deque(listing, maxlen=0)
    return listing.fingerprint


def write_listing(source: Path, path: Path) -> str:
    """Write the parts of a source to a Parquet file, a row group each; return its fingerprint.

    Raises:
        DataError: As of `SourceListing`.
        StorageError: There is no room.
    """
    listing = SourceListing(source)
    with whole_file(path) as aside, pq.ParquetWriter(aside, _SCHEMA) as writer:
        for part in _parts(iter(listing)):
            names, groups = zip(*part, strict=True)
            writer.write_table(pa.table([names, groups], schema=_SCHEMA))
    return listing.fingerprint


def count_parts(path: Path) -> int:
    """How many parts a written listing has.

    Raises:
        RunError: It is missing or damaged.
    """
    try:
        return int(pq.read_metadata(path).num_row_groups)
    except (OSError, pa.ArrowException) as error:
        raise RunError(
            f"{path} is damaged ({brief(error)}); name another folder with --output."
        ) from error


def read_part(path: Path, number: int) -> list[Piece]:
    """The pieces of one part of a written listing."""
    with pq.ParquetFile(path) as file:
        columns = file.read_row_group(number).to_pydict()
    return [Piece(*each) for each in zip(columns["name"], columns["row_group"], strict=True)]


def _parts(pieces: Iterator[Piece]) -> Iterator[list[Piece]]:
    pictures: list[Piece] = []
    for piece in pieces:
        if is_shard(piece.name):
            yield [piece]
            continue
        pictures.append(piece)
        if len(pictures) == PICTURES_A_PART:
            yield pictures
            pictures = []
    if pictures:
        yield pictures


def _list(source: Path) -> Iterator[_Listed]:
    if not source.exists():
        raise DataError(f"{source} does not exist; give a folder, an archive or a shard.")
    folder = folder_of(source)
    if folder is None:
        with open_source(source) as archive:
            for entry in archive.entries:
                yield _Listed(Piece(entry.name), archive.stamp(entry))
        return
    wanted = (file for file in files_below(source) if _is_wanted(file.name))
    for file in wanted if source.is_dir() else [source]:
        yield from _list_file(file, file.relative_to(folder).as_posix())


def _is_wanted(name: str) -> bool:
    return is_picture(name) or (is_shard(name) and not is_hidden(name))


def _list_file(file: Path, name: str) -> Iterator[_Listed]:
    stamp = stamp_file(file)
    if file.suffix.lower() == PARQUET:
        for row_group in range(row_groups(file)):
            yield _Listed(Piece(name, row_group), stamp)
    else:
        yield _Listed(Piece(name), stamp)
