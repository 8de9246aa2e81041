"""Settings that hold several values."""

from __future__ import annotations

import re

_SEPARATORS = re.compile(r"[\s,]+")


def separated(text: str) -> tuple[str, ...]:
    """Return the values in a text, which stand between commas or on lines of their own."""
    return tuple(filter(None, _SEPARATORS.split(text)))
