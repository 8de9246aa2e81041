"""What SECURITY.md refers to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "SECURITY.md").read_text()


def test_named_files_exist() -> None:
    named = set(re.findall(r"`(tests/\S+\.py|hardening/\S+)`", TEXT))

    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_linked_files_exist() -> None:
    linked = set(re.findall(r"\]\(([\w/.]+)", TEXT)) - {"https"}

    assert [name for name in sorted(linked) if not (ROOT / name).exists()] == []


def test_named_commands_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(r"\bmake ([a-z]+)", TEXT)) <= targets


@pytest.mark.parametrize("test", ["audit", "chaos", "contract", "fuzz", "soak"])
def test_last_figures_have_their_place(test: str) -> None:
    assert TEXT.index(f"<!-- {test} -->") < TEXT.index(f"<!-- end of {test} -->")
