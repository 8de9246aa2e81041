from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.training.workshop import Workshop
from training import domain


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Pictures of two classes, and a network that was trained on them and exported."""
    workshop = Workshop(tmp_path_factory.mktemp("workshop"))
    workshop.train(workshop.run)
    workshop.command("export", "--run", workshop.run, "--data", workshop.data, *workshop.exported)
    return workshop


@pytest.fixture(autouse=True, scope="session")
def drawn_once() -> Iterator[None]:
    """Draw pictures of neither class once: they are the same each time, and take seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(domain, "draw_neither", functools.cache(domain.draw_neither))
        yield


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "output"
