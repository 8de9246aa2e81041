from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from tests.app.access.keys import KEY, OTHER_KEY
from tests.app.conftest import Load, serving


@pytest.fixture
def closed_settings(settings: Settings) -> Settings:
    """Let whoever has one of two keys ask."""
    keys = Settings(api_keys=f"{KEY},{OTHER_KEY}").api_keys
    return settings.model_copy(update={"api_keys": keys})


@pytest.fixture
async def closed_client(
    closed_settings: Settings, fake_load: Load
) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(create_app(closed_settings, fake_load)) as client:
        yield client
