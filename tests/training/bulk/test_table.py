from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from app.card import ModelCard
from tests.app.cards import card_of
from training.bulk.table import Score, Totals, write_csv, write_part

SCORES = [
    Score("in/a, b.jpg", np.array([0.75, 0.25], np.float32), 0.3, None),
    Score("in/c.jpg", None, None, "The file is not an image that can be read."),
    Score("in/d.jpg", np.array([0.25, 0.75], np.float32), 0.1, None),
]


@pytest.fixture
def card(tmp_path: Path) -> ModelCard:
    return card_of(tmp_path)


def test_a_part_has_the_labels_and_every_score(card: ModelCard, tmp_path: Path) -> None:
    write_part(tmp_path / "part.parquet", card, SCORES)

    first, broken, last = pq.read_table(tmp_path / "part.parquet").to_pylist()
    assert first == {
        "name": "in/a, b.jpg",
        "label": "red",
        "score_red": 0.75,
        "score_blue": 0.25,
        "in_domain": True,
        "typicality": pytest.approx(card.domain.rank(0.3)),
        "error": None,
    }
    assert (last["label"], last["in_domain"]) == ("blue", False)
    assert broken.pop("name") == "in/c.jpg"
    assert broken.pop("error") == SCORES[1].error
    assert set(broken.values()) == {None}


def test_a_network_that_cannot_tell_has_no_columns_for_it(card: ModelCard, tmp_path: Path) -> None:
    plain = card.model_copy(update={"domain": None})

    write_part(tmp_path / "part.parquet", plain, [SCORES[0]._replace(typicality=None)])

    columns = pq.read_table(tmp_path / "part.parquet").column_names
    assert columns == ["name", "label", "score_red", "score_blue", "error"]


def test_the_csv_has_all_parts_in_their_order(card: ModelCard, tmp_path: Path) -> None:
    parts = [tmp_path / "b.parquet", tmp_path / "a.parquet"]
    write_part(parts[0], card, SCORES[:2])
    write_part(parts[1], card, SCORES[2:])

    totals = write_csv(tmp_path / "scores.csv", card, parts)

    rows = list(csv.DictReader((tmp_path / "scores.csv").read_text().splitlines()))
    assert totals == Totals(pictures=3, errors=1)
    assert [row["name"] for row in rows] == [score.name for score in SCORES]
    assert [row["label"] for row in rows] == ["red", "", "blue"]
    assert [row["score_red"] for row in rows] == ["0.75", "", "0.25"]
    assert [row["error"] for row in rows] == ["", SCORES[1].error, ""]


def test_a_part_of_nothing_is_written_too(card: ModelCard, tmp_path: Path) -> None:
    write_part(tmp_path / "part.parquet", card, [])

    assert write_csv(tmp_path / "scores.csv", card, [tmp_path / "part.parquet"]) == Totals(0, 0)
