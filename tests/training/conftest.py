from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.workshop import Workshop


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Pictures of two classes, and a network that was trained on them and exported."""
    workshop = Workshop(tmp_path_factory.mktemp("workshop"))
    workshop.train(workshop.run)
    workshop.command("export", "--run", workshop.run, "--data", workshop.data, *workshop.exported)
    return workshop


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "output"
