from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.engines.engine import Answers
from tests.training.pictures import CAT, write_files
from training.domain import (
    collect_neither,
    describe_domain,
    neither_typicality,
    roc_areas,
    typicality_of,
)
from training.errors import DataError
from training.neither import KINDS

TYPICAL = np.arange(100, dtype=np.float32)


def test_threshold_lets_97_of_100_pass() -> None:
    others = {"far": TYPICAL - 200, "alike": TYPICAL}

    domain = describe_domain("energy", TYPICAL, others, {"energy": 0.75})

    assert sum(domain.holds(value) for value in TYPICAL.tolist()) == 98  # the 97th and its like
    assert not domain.holds(1.0)
    assert domain.roc_area == {"far": 1.0, "alike": 0.5}
    assert domain.rank(49.5) == pytest.approx(0.5)
    assert domain.tried == {"energy": 0.75}


def test_higher_is_more_typical() -> None:
    assert roc_areas(TYPICAL, {"below": TYPICAL - 1000, "above": TYPICAL + 1000}) == {
        "below": 1.0,
        "above": 0.0,
    }


def test_photographs_are_added_to_what_is_drawn(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "street", {"1.jpg": CAT, "2.jpg": CAT, "3.jpg": b"broken"})

    pictures = collect_neither(32, folder)

    assert list(pictures) == [*KINDS, "street"]
    assert pictures["street"].shape == (2, 32, 32, 3)
    assert list(collect_neither(32, None)) == list(KINDS)


def test_photographs_that_cannot_be_decoded_are_refused(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "street", {"1.jpg": b"broken"})

    with pytest.raises(DataError, match="name another folder"):
        collect_neither(32, folder)


def test_network_is_asked_for_every_kind() -> None:
    pictures = {
        kind: np.full((3, 4, 4, 3), value, np.uint8) for kind, value in (("a", 1), ("b", 2))
    }

    def predict(pixels: np.ndarray) -> Answers:
        return Answers(
            np.zeros((len(pixels), 2), np.float32), pixels[:, 0, 0, 0].astype(np.float32)
        )

    found = neither_typicality(predict, pictures)

    assert {kind: values.tolist() for kind, values in found.items()} == {"a": [1] * 3, "b": [2] * 3}


def test_network_without_typicality_is_refused() -> None:
    with pytest.raises(ValueError, match="Received: None"):
        typicality_of(Answers(np.zeros((1, 2), np.float32), None))


def test_photographs_do_not_take_the_place_of_what_is_drawn(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has the name of what is drawn"):
        collect_neither(20, tmp_path / next(iter(KINDS)))


def test_of_many_photographs_every_so_many_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {f"{number}.jpg": CAT for number in range(9)} | {"4.jpg": b"no picture"}
    monkeypatch.setattr("training.domain._MOST_PHOTOGRAPHS", 5)

    found = collect_neither(20, write_files(tmp_path / "cars", files))

    assert len(found["cars"]) == 4
    assert "skipped 4.jpg: " in capsys.readouterr().out
