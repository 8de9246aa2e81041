from __future__ import annotations

import warnings
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model's folder, exported once: "red" or "blue"."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorFlow's import and its converter warn of themselves
        from tests.tiny_model import make_tiny_model

        folder = tmp_path_factory.mktemp("tiny-model")
        make_tiny_model(folder)
    return folder
