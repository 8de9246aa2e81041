from __future__ import annotations

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from tests.app.client import assert_problem, post
from tests.app.conftest import Load
from tests.app.pictures import picture

pytestmark = pytest.mark.anyio


async def test_not_ready_before_the_model_is_loaded(settings: Settings, fake_load: Load) -> None:
    transport = httpx.ASGITransport(create_app(settings, fake_load))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        assert_problem(await client.get("/health/ready"), 503, "Not ready")
        assert_problem(await post(client, picture()), 503, "Not ready")
        assert (await client.get("/health/live")).json() == {"status": "live"}


async def test_ready_once_the_model_is_loaded(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health/ready")).json() == {"status": "ready"}
