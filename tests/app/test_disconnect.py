from __future__ import annotations

import asyncio

import pytest

from app.main import create_app
from app.settings import Settings
from tests.app.client import leave_while_waiting, post
from tests.app.conftest import Load, serving
from tests.app.fake_engine import FakeEngine
from tests.app.pictures import picture

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", ["/predict", "/explain"])
async def test_picture_of_a_client_that_left_is_skipped(
    settings: Settings, fake_load: Load, fake_engine: FakeEngine, path: str
) -> None:
    app = create_app(settings, fake_load)
    async with serving(app) as client:
        fake_engine.free.clear()
        predicted = asyncio.create_task(post(client, picture()))
        await asyncio.to_thread(fake_engine.entered.wait)
        await leave_while_waiting(app, picture(), path)

        fake_engine.free.set()
        assert (await predicted).status_code == 200
        assert (await post(client, picture())).status_code == 200
    assert fake_engine.batch_sizes == [1, 1]
