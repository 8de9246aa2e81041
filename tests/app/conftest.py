from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.main import create_app
from app.model import Model, load_model
from app.pipeline import Pipeline
from app.settings import Settings
from tests.app.cards import card_of
from tests.app.fake_engine import FakeEngine
from tests.app.pipelines import FakeDecoder, entered, file, pipeline_of
from tests.app.server import Server, listening

Load = Callable[[Settings], Model]


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Start the app, and yield a client that is answered even where the app fails."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        yield client


@pytest.fixture
def fake_engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def fake_load(fake_engine: FakeEngine, tmp_path: Path) -> Load:
    model = Model(card_of(tmp_path), [fake_engine])
    return lambda _: model


@pytest.fixture(params=["fake engine", "LiteRT"])
def load(request: pytest.FixtureRequest) -> Load:
    return request.getfixturevalue("fake_load") if request.param == "fake engine" else load_model


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> Settings:
    """Small limits; the tiny model's folder where the real engine is under test."""
    limits = {"max_upload_bytes": 50_000, "max_pixels": 1_000_000, "threads": 2}
    callspec = getattr(request.node, "callspec", None)
    if callspec is not None and callspec.params.get("load") == "LiteRT":
        limits["model"] = request.getfixturevalue("tiny_model")
    return Settings(device="cpu", **limits)


@pytest.fixture
async def client(settings: Settings, load: Load) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(create_app(settings, load)) as client:
        yield client


@pytest.fixture
async def fake_client(settings: Settings, fake_load: Load) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(create_app(settings, fake_load)) as client:
        yield client


@pytest.fixture
def limits() -> dict[str, Any]:
    """What a test sets otherwise."""
    return {}


@pytest.fixture
async def server(
    settings: Settings, fake_load: Load, limits: dict[str, Any]
) -> AsyncIterator[Server]:
    """The service with the fake engine, behind a real socket."""
    chosen = settings.model_copy(update=limits)
    async with listening(create_app(chosen, fake_load), chosen) as server:
        yield server


@pytest.fixture
def decoder() -> FakeDecoder:
    return FakeDecoder()


@pytest.fixture
async def pipeline(fake_engine: FakeEngine, decoder: FakeDecoder) -> AsyncIterator[Pipeline]:
    """One thread, which decodes and infers in turn."""
    with closing(pipeline_of([fake_engine], decoder)) as pipeline:
        yield pipeline
        fake_engine.free.set()
        decoder.free.set()


@pytest.fixture
async def busy(pipeline: Pipeline, fake_engine: FakeEngine) -> FakeEngine:
    """The engine, held at its first batch of one picture."""
    fake_engine.free.clear()
    pipeline.submit(file(0))
    await entered(fake_engine.entered)
    return fake_engine
