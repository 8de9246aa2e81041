"""What was measured, and what is allowed."""

from __future__ import annotations

from typing import NamedTuple

HEAD = ("figure", "measured", "allowed", "kept")


class Figure(NamedTuple):
    """One result."""

    name: str
    measured: str
    allowed: str
    kept: bool

    def row(self) -> list[str]:
        """Return the cells of its line in a table."""
        return [self.name, self.measured, self.allowed, "yes" if self.kept else "NO"]


def at_most(name: str, measured: float, allowed: float, unit: str = "", digits: int = 0) -> Figure:
    """Return a figure that may not be larger."""
    text = f"{measured:.{digits}f} {unit}".rstrip()
    bound = f"at most {allowed:.{digits}f} {unit}".rstrip()
    return Figure(name, text, bound, measured <= allowed)
