from __future__ import annotations

from pathlib import Path

import pytest

from hardening.figures import at_most, write_section


def test_figure_is_kept_up_to_its_bound() -> None:
    assert at_most("growth", 1.0, 1.0, "MB").row() == ["growth", "1 MB", "at most 1 MB", "yes"]
    assert at_most("growth", 1.004, 1.0, "MB", 2).kept is False


def test_section_alone_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "SECURITY.md"
    path.write_text("# A\n\n<!-- soak -->\n\nold\n\n<!-- end of soak -->\n\n# B\n")

    write_section(path, "soak", "new")

    assert path.read_text() == "# A\n\n<!-- soak -->\n\nnew\n\n<!-- end of soak -->\n\n# B\n"


def test_file_without_the_marks_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "SECURITY.md"
    path.write_text("<!-- soak -->\n")

    with pytest.raises(ValueError, match="no marks"):
        write_section(path, "soak", "new")
    assert path.read_text() == "<!-- soak -->\n"
