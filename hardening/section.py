"""A part of a Markdown file that is written anew."""

from __future__ import annotations

from pathlib import Path


class Section:
    """What stands between two marks that bear a name."""

    def __init__(self, path: Path, name: str) -> None:
        """Look for the marks.

        Raises:
            ValueError: They are not there.
        """
        self._path = path
        self._begin, self._end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        self._around()

    def write(self, text: str) -> None:
        """Put a text in place of what is there."""
        before, after = self._around()
        content = f"{before}{self._begin}\n\n{text}\n\n{self._end}{after}"
        self._path.write_text(content, encoding="utf-8")

    def _around(self) -> tuple[str, str]:
        content = self._path.read_text(encoding="utf-8") if self._path.exists() else ""
        before, begun, rest = content.partition(self._begin)
        _, ended, after = rest.partition(self._end)
        if not (begun and ended):
            raise ValueError(f"{self._path} has no marks {self._begin} and {self._end}")
        return before, after
