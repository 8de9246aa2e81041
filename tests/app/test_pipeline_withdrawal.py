from __future__ import annotations

from pathlib import Path

import pytest

from app.main import create_app
from app.service import Model, Service
from app.settings import Settings
from tests.app.cards import card_of
from tests.app.fake_engine import FakeEngine
from tests.app.pictures import picture

pytestmark = pytest.mark.anyio


async def test_picture_does_not_wait_for_one_that_was_withdrawn(tmp_path: Path) -> None:
    engine = FakeEngine()
    model = Model(card_of(tmp_path), [engine])
    app = create_app(Settings(device="cpu", threads=1), lambda _: model)
    async with app.router.lifespan_context(app):
        service: Service = app.state.service
        engine.free.clear()
        first = service.classify(picture())
        engine.entered.wait()
        second, withdrawn = service.classify(picture()), service.classify(picture())
        withdrawn.cancel()
        engine.free.set()

        await first
        await second

    assert engine.batch_sizes == [1, 1]
