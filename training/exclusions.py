"""Pictures that would teach a network something wrong: looked at one by one, and listed."""

from __future__ import annotations

import csv
import re
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.data import Dataset
from training.errors import DataError

DEFAULT_EXCLUSIONS = Path(__file__).with_name("exclusions.csv")

_COLUMNS = ["file", "hash", "reason"]
_HASH = re.compile("[0-9a-f]{16}")
_HASH_WIDTH, _HASH_HEIGHT = 8, 8
_MOST_BITS_APART = 10


class Exclusion(NamedTuple):
    """One picture of the list."""

    file: str
    """Its name without folders, such as "dog.12376.jpg"."""
    hash: int
    """Its `difference_hash`: others have pictures of that name, too."""
    reason: str


def read_exclusions(path: Path) -> tuple[Exclusion, ...]:
    """Read a CSV `file,hash,reason`; an empty file excludes nothing.

    Raises:
        DataError: There is no such file, or a line of it is not as it should be.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # Excel begins with a mark
    except FileNotFoundError as error:
        raise DataError(
            f"{path} does not exist; give a CSV with the columns {','.join(_COLUMNS)}, or an "
            "empty file to exclude nothing."
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text in UTF-8 ({error}); save it as such.") from error
    try:
        header, *rows = list(csv.reader(text.splitlines())) or [_COLUMNS]
    except csv.Error as error:
        raise DataError(f"{path} is no CSV ({error}); mend it.") from error
    if header != _COLUMNS:
        raise DataError(f"{path} begins with {','.join(header)!r}; make it {','.join(_COLUMNS)!r}.")
    exclusions: dict[str, Exclusion] = {}
    for line, row in enumerate(rows, start=2):
        exclusion = _parse(row, f"{path}, line {line}")
        if exclusion.file in exclusions:
            raise DataError(f"{path}, line {line}: {exclusion.file} is listed twice; remove one.")
        exclusions[exclusion.file] = exclusion
    return tuple(exclusions.values())


def find_excluded(
    dataset: Dataset, positions: NDArray[np.intp], exclusions: tuple[Exclusion, ...]
) -> dict[int, str]:
    """Those of `positions` in `dataset` that hold listed pictures, each with its reason.

    A picture is one of the list if it has the name and looks the same: at another size and
    compression it still does, another picture that happens to have the name does not.
    """
    listed = {exclusion.file: exclusion for exclusion in exclusions}
    excluded = {}
    for position in positions.tolist():
        exclusion = listed.get(PurePosixPath(dataset.names[position]).name)
        if exclusion and _looks_like(dataset.pixels[position], exclusion):
            excluded[position] = exclusion.reason
    return excluded


def difference_hash(pixels: NDArray[np.uint8]) -> int:
    """What a picture (height, width, 3) looks like, in 64 bits.

    Each tells, for one of 8 x 8 places, whether the next to the right is darker. Few change
    with size and compression.
    """
    size = (_HASH_WIDTH + 1, _HASH_HEIGHT)
    grey = Image.fromarray(np.asarray(pixels)).convert("L").resize(size, Image.Resampling.BOX)
    values = np.asarray(grey)
    return int(np.packbits(values[:, :-1] > values[:, 1:]).tobytes().hex(), 16)


def _looks_like(pixels: NDArray[np.uint8], exclusion: Exclusion) -> bool:
    return (difference_hash(pixels) ^ exclusion.hash).bit_count() <= _MOST_BITS_APART


def _parse(row: list[str], where: str) -> Exclusion:
    if len(row) != len(_COLUMNS):
        raise DataError(
            f"{where} has {len(row)} columns instead of {len(_COLUMNS)}; put quotes around a "
            "reason with a comma."
        )
    file, digits, reason = row
    if not file or "/" in file:
        raise DataError(f"{where}: {file!r} is no name of a file; write it without folders.")
    if not _HASH.fullmatch(digits):
        raise DataError(
            f"{where}: {digits!r} is no hash; write the picture's difference_hash in 16 "
            "hexadecimal digits."
        )
    if not reason:
        raise DataError(f"{where}: {file} has no reason; say what is wrong with it.")
    return Exclusion(file, int(digits, 16), reason)
