from __future__ import annotations

from pathlib import Path

from app.model import Model
from app.v2.metadata import model_metadata
from tests.app.cards import card_of
from tests.app.fake_engine import FakeEngine


def test_metadata_is_that_of_the_card(tmp_path: Path) -> None:
    metadata = model_metadata(Model(card_of(tmp_path), [FakeEngine()]))

    assert metadata.model_dump() == {
        "name": "red-or-blue",
        "versions": ["1.2.3"],
        "platform": "Fake",
        "inputs": [
            {"name": "pixels", "datatype": "UINT8", "shape": [-1, 227, 227, 3]},
            {"name": "image", "datatype": "BYTES", "shape": [-1]},
        ],
        "outputs": [
            {"name": "probabilities", "datatype": "FP32", "shape": [-1, 2]},
            {"name": "labels", "datatype": "BYTES", "shape": [-1]},
            {"name": "typicality", "datatype": "FP32", "shape": [-1]},
            {"name": "in_domain", "datatype": "BOOL", "shape": [-1]},
        ],
    }


def test_model_without_a_domain_has_two_outputs(tmp_path: Path) -> None:
    card = card_of(tmp_path).model_copy(update={"domain": None})

    outputs = model_metadata(Model(card, [FakeEngine()])).outputs

    assert [output.name for output in outputs] == ["probabilities", "labels"]
