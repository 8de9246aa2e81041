"""Model cards for models that need no training."""

from __future__ import annotations

import hashlib
from pathlib import Path

from app.card import DataSummary, Domain, ModelCard, ModelFile


def card_of(folder: Path, *file_names: str) -> ModelCard:
    """Return a card that lists these files of the folder as they are."""
    return ModelCard(
        name="red-or-blue",
        version="1.2.3",
        created="2026-01-02T03:04:05+00:00",
        labels=("red", "blue"),
        files={name: _model_file(folder / name) for name in file_names},
        recipe={},
        data=DataSummary(
            source="none", counts={"red": 1, "blue": 1}, training=1, validation=1, split_seed=0
        ),
        metrics={},
        domain=Domain(
            score="brightness",
            passing=0.75,
            quantiles=(0.0, 0.2, 0.4, 0.6, 0.8),
            threshold=0.2,
            roc_area={"black pictures": 1.0},
            tried={"brightness": 1.0},
        ),
        software={},
    )


def write_card(folder: Path, card: ModelCard) -> None:
    (folder / "model.json").write_text(card.model_dump_json())


def _model_file(path: Path) -> ModelFile:
    content = path.read_bytes()
    return ModelFile(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
