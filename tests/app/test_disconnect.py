from __future__ import annotations

import asyncio

import pytest

from tests.app.bodies import WAYS, posts
from tests.app.fake_engine import FakeEngine
from tests.app.pictures import picture
from tests.app.server import Server, until

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("way", WAYS)
async def test_picture_of_a_client_that_left_is_skipped(
    server: Server, fake_engine: FakeEngine, way: str
) -> None:
    service = server.app.state.service
    fake_engine.free.clear()
    occupant = service.classify(picture())
    await asyncio.to_thread(fake_engine.entered.wait)
    async with server.connection() as connection:
        await connection.send(posts(picture())[way].whole)
        await until(lambda: server.waiting == 1)
    await until(lambda: server.requests == 0)

    fake_engine.free.set()
    await occupant
    await service.classify(picture())
    assert fake_engine.batch_sizes == [1, 1]
