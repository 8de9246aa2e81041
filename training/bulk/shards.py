"""Files that hold many pictures each: Parquet, and WebDataset's tar."""

from __future__ import annotations

import itertools
import tarfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from app.images import ImageTooLargeError
from training.data import Skipped
from training.errors import AGAIN, DataError, brief, may_pass
from training.source import check_size, is_picture

PARQUET = ".parquet"
_TAR = ".tar"
_COLUMNS = ("image", "bytes")
_BYTES = "bytes"  # of a struct with the path beside them, as Hugging Face's data sets have it
_ROWS = 64  # that are held in memory at once, beside what PyArrow reads ahead:
_BUFFER_BYTES = 2**20  # without which it would read all of a row group
_PIECE_BYTES = 2**16

Picture: TypeAlias = tuple[str, bytes | Skipped]
"""A name, and the bytes of a picture's file, or why there are none."""


def is_shard(name: str) -> bool:
    """Whether a file's name is that of a shard."""
    return PurePosixPath(name).suffix.lower() in {PARQUET, _TAR}


def row_groups(path: Path) -> int:
    """How many row groups a Parquet shard has.

    Raises:
        DataError: It is none, or has no column of pictures.
    """
    try:
        with pq.ParquetFile(path) as file:
            if _column(file.schema_arrow) is None:
                raise DataError(
                    f"{path} has no column of pictures; name one {' or '.join(_COLUMNS)}, of "
                    f"the bytes of image files or of structs with a field {_BYTES}."
                )
            return int(file.num_row_groups)
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"{path} is not a Parquet file, or a damaged one ({brief(error)}); replace it, or "
            "take it away."
        ) from error


def shard_pictures(path: Path, name: str, row_group: int | None) -> Iterator[Picture]:
    """The pictures of a tar shard, or of a row group of a Parquet shard, one after another.

    They are named after the shard `name` and their member or, from 0, their row. Where the
    shard is damaged, the last one is named after the shard alone.

    Raises:
        DataError: The shard cannot be read for now: a disk or a network fails.
    """
    try:
        if row_group is None:
            yield from _tar_pictures(path, name)
        else:
            yield from _parquet_pictures(path, name, row_group)
    except (OSError, ValueError, pa.ArrowException, tarfile.TarError) as error:
        if may_pass(error):
            raise DataError(f"{path} cannot be read ({brief(error)}); {AGAIN}.") from error
        yield name, Skipped(name, f"The rest of the shard cannot be read ({brief(error)}).")


def _parquet_pictures(path: Path, name: str, row_group: int) -> Iterator[Picture]:
    with pq.ParquetFile(path, buffer_size=_BUFFER_BYTES) as file:
        column = _column(file.schema_arrow)
        row = sum(file.metadata.row_group(each).num_rows for each in range(row_group))
        for rows in file.iter_batches(_ROWS, row_groups=[row_group], columns=[column]):
            for value in rows.column(0):
                yield _picture(f"{name}/{row}", _content(value.as_py()))
                row += 1


def _column(schema: pa.Schema) -> str | None:
    """The column to read, or the field of one, as PyArrow writes it."""
    for name in _COLUMNS:
        kind = schema.field(name).type if name in schema.names else None
        if kind is None:
            continue
        if _is_binary(kind):
            return name
        if pa.types.is_struct(kind) and any(
            each.name == _BYTES and _is_binary(each.type) for each in kind
        ):
            return f"{name}.{_BYTES}"
    return None


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _content(value: Any) -> bytes | None:
    return value.get(_BYTES) if isinstance(value, dict) else value


def _tar_pictures(path: Path, name: str) -> Iterator[Picture]:
    with tarfile.open(path, "r:") as shard:
        for member in shard:
            if member.isreg() and is_picture(member.name):
                inside = f"{name}/{member.name}".encode(errors="replace").decode()
                try:
                    yield _picture(inside, _read_member(shard, member))
                except ImageTooLargeError as error:
                    yield inside, Skipped(inside, str(error))
        _check_end(shard)


def _check_end(shard: tarfile.TarFile) -> None:
    """Raise ReadError unless zeros follow, and nothing else: for tarfile, damage is an end too."""
    file = shard.fileobj
    assert file is not None  # it is open
    file.seek(shard.offset)
    end = file.read(tarfile.BLOCKSIZE)
    if not end:
        raise tarfile.ReadError("its end is missing")
    for piece in itertools.chain([end], iter(partial(file.read, _PIECE_BYTES), b"")):
        if piece.strip(b"\0"):
            raise tarfile.ReadError("the header of a member is damaged")


def _read_member(shard: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    check_size(member.size)
    file = shard.extractfile(member)
    assert file is not None  # a regular file
    return file.read()


def _picture(name: str, data: bytes | None) -> Picture:
    return name, data or Skipped(name, "There are no bytes; put the picture in.")
