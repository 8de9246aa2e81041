from __future__ import annotations

from pathlib import Path

import pytest

from hardening.section import Section


def test_section_alone_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "SECURITY.md"
    path.write_text("# A\n\n<!-- soak -->\n\nold\n\n<!-- end of soak -->\n\n# B\n")

    Section(path, "soak").write("new")

    assert path.read_text() == "# A\n\n<!-- soak -->\n\nnew\n\n<!-- end of soak -->\n\n# B\n"


@pytest.mark.parametrize("content", [None, "<!-- soak -->", "<!-- chaos --><!-- end of chaos -->"])
def test_file_without_the_marks_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "SECURITY.md"
    if content is not None:
        path.write_text(content)

    with pytest.raises(ValueError, match="has no marks <!-- soak -->"):
        Section(path, "soak")
