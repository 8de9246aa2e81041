from __future__ import annotations

import warnings
from pathlib import Path

import pytest

_LONG = ("test_readme.py", "hardening", "browser", "training")
"""What takes long, the longest first: begun last, it would keep one core busy while others idle."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_begins)


def _begins(item: pytest.Item) -> int:
    ranks = (rank for rank, name in enumerate(_LONG) if name in item.path.parts)
    return next(ranks, len(_LONG))


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
