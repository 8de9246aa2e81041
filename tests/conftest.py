from __future__ import annotations

import contextlib
import functools
import gc
import warnings
from pathlib import Path

import pytest
from xdist.scheduler import LoadFileScheduling

from app import lifespan
from app.cores import usable_cores

_LONG = ("test_readme.py", "hardening", "browser", "training")
"""What takes long, the longest first: begun last, it would keep one core busy while others idle."""
_WORKSHOP = "workshop"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_begins)


def _begins(item: pytest.Item) -> int:
    if _uses_workshop(item.path):
        return -1
    ranks = (rank for rank, name in enumerate(_LONG) if name in item.path.parts)
    return next(ranks, len(_LONG))


def pytest_collection_finish() -> None:
    """Leave what was imported out of garbage collections: of TensorFlow's, each takes 0.3 s."""
    gc.collect()
    gc.freeze()


class Scheduling(LoadFileScheduling):
    """A file's tests run in one process, and so do all that share the dear fixture `workshop`."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return _WORKSHOP if _uses_workshop(self.config.rootpath / file) else file


def pytest_xdist_auto_num_workers() -> int:
    """One process more than cores: a fourth of the time, tests wait for others or for a clock."""
    return usable_cores() + 1


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling:
    return Scheduling(config, log)


@functools.cache
def _uses_workshop(file: Path) -> bool:
    return f"{_WORKSHOP}: Workshop" in file.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def interpreter_that_stays(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Serve in a test's process without a garbage collection: with TensorFlow, it takes 0.3 s."""
    if "settled" not in request.fixturenames:
        monkeypatch.setattr(lifespan, "settled_interpreter", contextlib.nullcontext)


@pytest.fixture
def settled() -> None:
    """For tests of applications that settle the interpreter, as they do outside of tests."""


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model's folder, exported once: "red" or "blue"."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorFlow's import and its converter warn of themselves
        from tests.tiny_model import make_tiny_model

        folder = tmp_path_factory.mktemp("tiny-model")
        make_tiny_model(folder)
    return folder
