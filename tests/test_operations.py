"""What docs/operations.md and docs/containers.md say of the service."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.metrics import Metrics
from app.settings import Settings

DOCS = Path(__file__).parents[1] / "docs"
PAGES = ("operations.md", "containers.md")
ENDINGS = re.compile(r"_(bucket|count|sum)$")


def names_in(page: str) -> set[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    names = re.findall(r"\b(?:alexnet_|process_resident)\w+", text)
    return {ENDINGS.sub("", name) for name in names}


def told() -> set[str]:
    return set(re.findall(r"^# TYPE (\w+)", Metrics().render().decode(), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES)
def test_metrics_that_are_named_are_told(page: str) -> None:
    assert names_in(page)
    assert names_in(page) <= told()


def test_every_metric_is_in_the_table() -> None:
    assert told() <= names_in("containers.md")


def test_variables_that_are_named_are_settings() -> None:
    text = (DOCS / "operations.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\bALEXNET_(\w+)", text))
    assert named
    assert named <= {name.upper() for name in Settings.model_fields}
