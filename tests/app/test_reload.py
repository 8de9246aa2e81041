from __future__ import annotations

import asyncio
import sys
import weakref
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from app.errors import ModelCardError, StartupError
from app.main import create_app
from app.model import Model
from app.reload import Reloader, run_check
from app.settings import Settings
from tests.app.cards import card_of
from tests.app.client import post
from tests.app.conftest import serving
from tests.app.fake_engine import FakeEngine
from tests.app.pictures import BLUE, picture
from tests.app.pipelines import until
from tests.app.test_metrics import figure

pytestmark = pytest.mark.anyio

GOOD = (sys.executable, "-c", "")


class Models:
    """Loads a model with another version whenever it is asked."""

    def __init__(self, folder: Path) -> None:
        self._card = card_of(folder)
        self.engines: list[FakeEngine] = []

    def __call__(self, _: Settings) -> Model:
        self.engines.append(FakeEngine())
        version = str(len(self.engines))
        return Model(self._card.model_copy(update={"version": version}), self.engines[-1:])


@pytest.fixture
def models(tmp_path: Path) -> Models:
    return Models(tmp_path)


@pytest.fixture
def app(settings: Settings, models: Models) -> FastAPI:
    return create_app(settings, models)


async def version(client: httpx.AsyncClient) -> str:
    return (await post(client, picture(BLUE))).json()["model"]["version"]


async def test_new_model_answers_what_comes_after(app: FastAPI, models: Models) -> None:
    async with serving(app) as client:
        assert await version(client) == "1"

        assert await Reloader(app, GOOD, models).reload() is None

        assert await version(client) == "2"
        text = (await client.get("/metrics")).text
    assert figure(text, "alexnet_model_info", version="1") == 0
    assert figure(text, "alexnet_model_info", version="2") == 1
    assert figure(text, "alexnet_model_reloads_total", outcome="loaded") == 1
    assert figure(text, "alexnet_predictions_total", label="blue") == 2


@pytest.mark.parametrize("path", ["/predict", "/explain"])
async def test_request_keeps_the_model_that_it_found(
    app: FastAPI, models: Models, path: str
) -> None:
    async with serving(app) as client:
        old = app.state.service
        models.engines[0].free.clear()
        accepted = asyncio.create_task(post(client, picture(BLUE), path))
        await asyncio.to_thread(models.engines[0].entered.wait)
        reloader = Reloader(app, GOOD, models)

        assert await reloader.reload() is None
        assert await version(client) == "2"
        models.engines[0].free.set()
        assert (await accepted).json()["model"]["version"] == "1"

        await reloader.retired()
        with pytest.raises(Exception, match="not predicting"):
            old.classify(picture())
        assert await version(client) == "2"


async def test_nothing_keeps_a_model_that_was_replaced(app: FastAPI, models: Models) -> None:
    async with serving(app) as client:
        await version(client)
        reloader = Reloader(app, GOOD, models)
        await reloader.reload()
        await reloader.retired()
        engine = weakref.ref(models.engines.pop(0))
        await until(lambda: engine() is None)


async def test_refused_model_leaves_the_old_one(
    app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    def load(_: Settings) -> Model:
        raise ModelCardError("The model file is another one; export the model again.")

    async with serving(app) as client:
        sentence = await Reloader(app, GOOD, load).reload()

        assert sentence == "The model file is another one; export the model again."
        assert sentence in caplog.text
        assert "red-or-blue 1 on Fake (cpu) goes on" in caplog.text
        assert await version(client) == "1"
        text = (await client.get("/metrics")).text
    assert figure(text, "alexnet_model_reloads_total", outcome="refused") == 1


async def test_fault_while_it_loads_is_a_refusal(app: FastAPI) -> None:
    def load(_: Settings) -> Model:
        raise MemoryError

    async with serving(app) as client:
        assert await Reloader(app, GOOD, load).reload() == "MemoryError()"
        assert await version(client) == "1"


async def test_model_that_fails_its_check_is_not_loaded(app: FastAPI, models: Models) -> None:
    failing = (sys.executable, "-c", "import sys; sys.exit('Noise.\\nExport the model again.')")
    async with serving(app):
        assert await Reloader(app, failing, models).reload() == "Export the model again."
    assert len(models.engines) == 1


async def test_model_that_ends_its_process_is_refused() -> None:
    crash = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"

    with pytest.raises(StartupError, match="SIGSEGV"):
        await run_check((sys.executable, "-c", crash))


async def test_model_that_never_loads_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.reload._CHECK_SECONDS", 0.01)

    with pytest.raises(StartupError, match="too long"):
        await run_check((sys.executable, "-c", "import threading; threading.Event().wait()"))
