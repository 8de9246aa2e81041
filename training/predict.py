"""The command `predict`: label pictures, and write the answers down."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from training.data import Skipped, decode_entries
from training.errors import DataError
from training.files import write_text
from training.grid import Tile, save_grid
from training.predictor import Predictor
from training.source import open_source

_BATCH = 32
_SHOWN = 20
_GRID_SUFFIX = ".png"


class Answer(NamedTuple):
    """What the network says of one picture."""

    id: str
    """The file's name without its last suffix."""
    name: str
    class_index: int
    label: str
    score: float
    """The probability of `label`, 0 to 1."""


class Labelled(NamedTuple):
    """What came of a call of `predict`."""

    answers: list[Answer]
    skipped: list[Skipped]


def predict(
    predictor: Predictor, inputs: Sequence[Path], *, output: Path, submission: Path | None = None
) -> Labelled:
    """Label the pictures of an archive, a folder or single files.

    Writes a CSV `id,file,label,score` to `output`, and a picture grid of the first 20 beside it.

    Args:
        predictor: The network.
        inputs: One archive, one folder, or any number of files.
        output: The CSV.
        submission: A CSV `id,label` as Kaggle scores it, the label being the class index.

    Raises:
        DataError: There are no pictures, or none can be decoded; or a CSV cannot be written where
            it is to be.
    """
    for path in (output, submission):
        _check_writable(path)
    answers: list[Answer] = []
    skipped: list[Skipped] = []
    tiles: list[Tile] = []
    with open_source(*inputs) as source:
        pictures = decode_entries(source, predictor.side)
        bar = tqdm(pictures, desc=predictor.name, total=len(source.entries), unit="img")
        for names, pixels in _batches(((entry.name, each) for entry, each in bar), skipped):
            new = _answer(predictor, names, pixels)
            tiles += [
                Tile(picture, f"{each.id}\n{each.label} {each.score:.1%}")
                for each, picture in zip(new, pixels, strict=True)
                if len(tiles) < _SHOWN
            ]
            answers += new
    if not answers:
        raise DataError(f"No picture of {inputs[0]} can be decoded: {skipped[0].reason}")
    write_text(output, _csv(("id", "file", "label", "score"), _rows(answers)))
    save_grid(output.with_suffix(_GRID_SUFFIX), tiles[:_SHOWN])
    if submission is not None:
        by_id = sorted(answers, key=lambda each: (len(each.id), each.id))
        write_text(
            submission, _csv(("id", "label"), ([each.id, each.class_index] for each in by_id))
        )
    return Labelled(answers, skipped)


def _check_writable(path: Path | None) -> None:
    """Before the work, not after it."""
    if path is not None and (path.is_dir() or path.suffix.lower() == _GRID_SUFFIX):
        raise DataError(f"{path} cannot be the CSV's name; give one such as answers.csv.")


def _batches(
    pictures: Iterator[tuple[str, NDArray[np.uint8] | Skipped]], skipped: list[Skipped]
) -> Iterator[tuple[list[str], NDArray[np.uint8]]]:
    """Batches of names and pixels; what could not be decoded goes to `skipped`."""
    names: list[str] = []
    pixels: list[NDArray[np.uint8]] = []
    for name, picture in pictures:
        if isinstance(picture, Skipped):
            skipped.append(picture)
            continue
        names.append(name)
        pixels.append(picture)
        if len(names) == _BATCH:
            yield names, np.stack(pixels)
            names, pixels = [], []
    if names:
        yield names, np.stack(pixels)


def _answer(predictor: Predictor, names: list[str], pixels: NDArray[np.uint8]) -> list[Answer]:
    probabilities = predictor.predict(pixels).probabilities
    indices = probabilities.argmax(axis=1)
    return [
        Answer(Path(name).stem, name, int(index), predictor.labels[index], float(row[index]))
        for name, index, row in zip(names, indices, probabilities, strict=True)
    ]


def _rows(answers: list[Answer]) -> Iterator[list[object]]:
    for each in answers:
        yield [each.id, each.name, each.label, f"{each.score:.6f}"]


def _csv(header: tuple[str, ...], rows: Iterator[list[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
