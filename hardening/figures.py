"""What was measured, what was allowed, and where it is written."""

from __future__ import annotations

from pathlib import Path
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


def write_section(path: Path, name: str, text: str) -> None:
    """Put a text between the marks of a Markdown file that bear the name.

    Raises:
        ValueError: The file has no such marks.
    """
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    content = path.read_text(encoding="utf-8")
    before, found, rest = content.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{path} has no marks {begin} and {end}.")
    path.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")
