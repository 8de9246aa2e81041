"""Scores as tables: a Parquet file for each part, and a CSV of them all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from app.card import ModelCard
from training.files import whole_file


class Score(NamedTuple):
    """What became of a picture."""

    name: str
    probabilities: NDArray[np.float32] | None
    """Shape (classes,); None where there is an error."""
    typicality: float | None
    """None also from a network that cannot tell."""
    error: str | None


class Totals(NamedTuple):
    """How many pictures there were."""

    pictures: int
    errors: int
    """Of them, those without a score."""


def schema_of(card: ModelCard) -> pa.Schema:
    """The columns: name, label, a score for each label, domain (if it is told) and error."""
    return pa.schema(
        [
            ("name", pa.string()),
            ("label", pa.string()),
            *((f"score_{label}", pa.float32()) for label in card.labels),
            *([] if card.domain is None else [("in_domain", pa.bool_())]),
            *([] if card.domain is None else [("typicality", pa.float32())]),
            ("error", pa.string()),
        ]
    )


def write_part(path: Path, card: ModelCard, scores: Sequence[Score]) -> None:
    """Write the scores of a part, whole or not at all.

    Raises:
        StorageError: There is no room.
    """
    rows = [_row(card, score) for score in scores]
    with whole_file(path) as aside:
        pq.write_table(pa.Table.from_pylist(rows, schema_of(card)), aside)


def write_csv(path: Path, card: ModelCard, parts: Iterable[Path]) -> Totals:
    """Write the scores of all parts to one CSV, whole or not at all.

    Raises:
        StorageError: There is no room.
    """
    pictures = errors = 0
    with whole_file(path) as aside, pyarrow.csv.CSVWriter(aside, schema_of(card)) as writer:
        for part in parts:
            table = pq.read_table(part)
            writer.write_table(table)
            pictures += table.num_rows
            errors += pc.count(table["error"]).as_py()
    return Totals(pictures, errors)


def _row(card: ModelCard, score: Score) -> dict[str, object]:
    row: dict[str, object] = {"name": score.name, "error": score.error}
    if score.probabilities is not None:
        row["label"] = card.labels[score.probabilities.argmax()]
        for label, probability in zip(card.labels, score.probabilities, strict=True):
            row[f"score_{label}"] = float(probability)
    if card.domain is not None and score.typicality is not None:
        row["in_domain"] = card.domain.holds(score.typicality)
        row["typicality"] = card.domain.rank(score.typicality)
    return row
