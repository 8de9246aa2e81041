from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.card import Domain, read_card, verified_content, verified_file
from app.errors import ModelCardError
from tests.app.cards import card_of, write_card

DOMAIN = {
    "score": "energy",
    "passing": 0.75,
    "quantiles": [-2, 0, 0, 1, 5],
    "threshold": 0,
    "roc_area": {},
    "tried": {},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.tflite").write_bytes(b"weights")
    write_card(tmp_path, card_of(tmp_path, "model.tflite"))
    return tmp_path


def change(folder: Path, **values: Any) -> None:
    path = folder / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize(
    ("typicality", "rank"),
    [(-3, 0), (-2, 0), (-1, 0.125), (0, 0.25), (0.5, 0.625), (4, 0.9375), (5, 1), (6, 1)],
)
def test_rank_is_the_share_of_the_validation_that_is_less_typical(
    typicality: float, rank: float
) -> None:
    domain = Domain.model_validate(DOMAIN)

    assert domain.rank(typicality) == rank
    assert domain.holds(typicality) is (typicality >= 0)


def test_card_is_read_as_written(folder: Path) -> None:
    assert read_card(folder) == card_of(folder, "model.tflite")


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"labels": ["cat"]}, "labels"),
        ({"labels": ["cat", "cat"]}, "labels"),
        ({"created": "2026-01-02T03:04:05"}, "created"),
        ({"created": "yesterday"}, "created"),
        ({"files": {"model.tflite": {"sha256": "abc", "bytes": 1}}}, "files.model.tflite.sha256"),
        ({"input_shape": [0, 227, 3]}, "input_shape.0"),
        ({"metrics": {"float": {"accuracy": 97, "log_loss": 0, "images": 1}}}, "metrics.float"),
        ({"domain": DOMAIN | {"quantiles": [0, 2, 1]}}, "domain.quantiles"),
        ({"temperature": 0}, "temperature"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_invalid_card_is_refused(folder: Path, values: dict[str, Any], place: str) -> None:
    change(folder, **values)

    with pytest.raises(ModelCardError, match=f"invalid at {place}"):
        read_card(folder)


def test_missing_card_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelCardError, match="set ALEXNET_MODEL"):
        read_card(tmp_path)


def test_file_as_on_the_card_is_verified(folder: Path) -> None:
    assert verified_file(folder, read_card(folder), "model.tflite") == folder / "model.tflite"


def test_content_as_on_the_card_is_verified(folder: Path) -> None:
    content = (folder / "model.tflite").read_bytes()
    assert verified_content(folder, read_card(folder), "model.tflite") == content


both = pytest.mark.parametrize("verified", [verified_file, verified_content])


@both
def test_changed_file_is_refused(folder: Path, verified: Callable) -> None:
    (folder / "model.tflite").write_bytes(b"Weights")

    with pytest.raises(ModelCardError, match="not the one on the model card"):
        verified(folder, read_card(folder), "model.tflite")


@both
def test_missing_file_is_refused(folder: Path, verified: Callable) -> None:
    (folder / "model.tflite").unlink()

    with pytest.raises(ModelCardError, match="cannot be read"):
        verified(folder, read_card(folder), "model.tflite")


@both
def test_unlisted_file_is_refused(folder: Path, verified: Callable) -> None:
    with pytest.raises(ModelCardError, match=r"lists no model\.keras"):
        verified(folder, read_card(folder), "model.keras")
