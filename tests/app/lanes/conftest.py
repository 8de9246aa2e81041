from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.errors import StartupError
from app.lanes.pipeline import LanePipeline
from tests.app.lanes.pipelines import Counts, running
from tests.app.lanes.servers import LastingServer


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lanes that are threads give nothing back, however long a busy machine decodes."""
    monkeypatch.setattr("app.lanes.work._PATIENCE_SECONDS", math.inf)


@pytest.fixture
def model(tiny_model: Path) -> bytes:
    return (tiny_model / "model.tflite").read_bytes()


@pytest.fixture(scope="module")
def lasting_server(tiny_model: Path) -> Iterator[LastingServer]:
    server = LastingServer(tiny_model)
    yield server
    server.end_for_good()


@pytest.fixture
def server(lasting_server: LastingServer) -> LastingServer:
    return lasting_server


@pytest.fixture
def counts() -> Counts:
    return Counts()


@pytest.fixture
async def pipeline(server: LastingServer, counts: Counts) -> AsyncIterator[LanePipeline]:
    async with running(server, counts) as pipeline:
        yield pipeline


@pytest.fixture
def stopped(server: LastingServer) -> LastingServer:
    """The server, whose lanes take pictures and do nothing about them."""
    server.stop_all()
    return server


@pytest.fixture
def irreplaceable(
    server: LastingServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[pytest.MonkeyPatch]:
    """The server, whose lanes cannot be replaced until what is returned is undone."""

    def fail(_: int) -> str:
        raise StartupError("There are no processes.")

    with monkeypatch.context() as patched:
        patched.setattr("app.lanes.pipeline._REST_SECONDS", 0.01)
        patched.setattr(server, "replace", fail)
        yield patched
