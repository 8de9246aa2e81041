"""What is printed, and written to a file of results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class Report:
    """Markdown that grows, shown as it does."""

    def __init__(self) -> None:
        self._parts: list[str] = []

    def heading(self, text: str) -> None:
        """Add a heading of the second level."""
        self._add(f"## {text}")

    def paragraph(self, text: str) -> None:
        """Add a paragraph."""
        self._add(text)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Add a table, its columns as wide as what is in them."""
        lines = [head, *rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
        rule = ["-" * width for width in widths]
        self._add(
            "\n".join(
                "| "
                + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
                + " |"
                for line in (head, rule, *rows)
            )
        )

    def text(self) -> str:
        """Return everything."""
        return "\n\n".join(self._parts)

    def write(self, path: Path, title: str) -> None:
        """Write everything to a file, under a title."""
        path.write_text(f"# {title}\n\n{self.text()}\n", encoding="utf-8")

    def _add(self, part: str) -> None:
        self._parts.append(part)
        print(part, end="\n\n", flush=True)
