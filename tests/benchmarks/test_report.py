from __future__ import annotations

from pathlib import Path

from benchmarks.report import Report


def test_report_is_markdown_with_aligned_columns(tmp_path: Path) -> None:
    report = Report()
    report.heading("Speed")
    report.table(["what", "n"], [["a", "10"], ["longer", "7"]])
    report.write(tmp_path / "RESULTS.md", "Results")

    assert (tmp_path / "RESULTS.md").read_text() == (
        "# Results\n\n## Speed\n\n"
        "| what   | n  |\n| ------ | -- |\n| a      | 10 |\n| longer | 7  |\n"
    )
