from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn

from app.main import create_app
from app.model import Model
from app.network import network_options
from app.settings import Settings
from tests.app.access.keys import KEY
from tests.app.cards import card_of
from tests.app.fake_engine import FakeEngine


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def port(engine: FakeEngine, tmp_path: Path) -> Iterator[int]:
    """Serve over HTTP with an engine that needs no model, and yield the port."""
    with served(Settings(device="cpu", threads=2), Model(card_of(tmp_path), [engine])) as port:
        yield port


@pytest.fixture
def closed_port(engine: FakeEngine, tmp_path: Path) -> Iterator[int]:
    """The same, for those who show a key."""
    settings = Settings(device="cpu", threads=2, api_keys=KEY)
    with served(settings, Model(card_of(tmp_path), [engine])) as port:
        yield port


@contextmanager
def served(settings: Settings, model: Model) -> Iterator[int]:
    app = create_app(settings, lambda _: model)
    options = network_options(settings)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, **options))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the service ended"
        time.sleep(0.05)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()
