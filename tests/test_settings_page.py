"""docs/settings.md, against the settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.settings import Settings

PAGE = (Path(__file__).parents[1] / "docs" / "settings.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `ALEXNET_(\w+)` \| (.+?) \| .+ \|$", PAGE, re.MULTILINE))
UNITS = {"KiB": 2**10, "MiB": 2**20, "s": 1}
DEPENDS = {"THREADS", "MAX_BATCH"}
"""On the machine, or on the engine."""


def test_every_setting_has_a_row() -> None:
    assert sorted(ROWS) == sorted(name.upper() for name in Settings.model_fields)


@pytest.mark.parametrize("name", sorted(set(ROWS) - DEPENDS))
def test_default_is_as_documented(name: str) -> None:
    shown, _, unit = ROWS[name].strip("`").partition(" ")
    default = Settings.model_fields[name.lower()].default

    if default == ():
        assert ROWS[name].startswith("none")
    elif unit:
        assert type(default)(shown) * UNITS[unit] == default
    else:
        assert shown == (str(default).lower() if isinstance(default, bool) else str(default))
