from __future__ import annotations

from hardening.figures import at_most


def test_figure_is_kept_up_to_its_bound() -> None:
    assert at_most("growth", 1.0, 1.0, "MB").row() == ["growth", "1 MB", "at most 1 MB", "yes"]
    assert at_most("growth", 1.004, 1.0, "MB", 2).kept is False
