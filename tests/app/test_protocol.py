from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.main import create_app
from app.settings import Settings
from tests.app.client import assert_problem
from tests.app.conftest import Load
from tests.app.fake_engine import FakeEngine
from tests.app.pictures import picture
from tests.app.server import Server, listening, until

pytestmark = pytest.mark.anyio

LIVE = b"GET /health/live HTTP/1.1\r\nHost: here\r\n\r\n"


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """uvloop, as in production."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture
def limits() -> dict[str, Any]:
    return {}


@pytest.fixture
async def server(
    settings: Settings, fake_load: Load, limits: dict[str, Any]
) -> AsyncIterator[Server]:
    chosen = settings.model_copy(update=limits)
    async with listening(create_app(chosen, fake_load), chosen) as server:
        yield server


@pytest.mark.parametrize("limits", [{"header_seconds": 0.2, "keep_alive_seconds": 0.1}])
class TestSlowClients:
    async def test_silent_connection_is_closed(self, server: Server) -> None:
        async with server.connection() as connection:
            assert await connection.rest() == b""

    async def test_silent_connection_is_closed_after_an_answer(self, server: Server) -> None:
        async with server.connection() as connection:
            await connection.send(LIVE)
            assert (await connection.answer()).status_code == 200
            assert await connection.rest() == b""

    @pytest.mark.parametrize("before", [b"", LIVE])
    async def test_slow_headers_are_cut_off(self, server: Server, before: bytes) -> None:
        async with server.connection() as connection:
            await connection.send(before)
            if before:
                await connection.answer()
            cut_off = asyncio.create_task(connection.answer())
            await connection.send(LIVE[:-2])
            while not cut_off.done():
                await connection.send(b"a")
                await asyncio.sleep(0.01)

            assert_problem(await cut_off, 408, "Request too slow")
            assert await connection.rest() == b""

    async def test_body_that_nobody_reads_is_cut_off(self, server: Server) -> None:
        async with server.connection() as connection:
            await connection.send(LIVE.replace(b"\r\n\r\n", b"\r\nContent-Length: 9999\r\n\r\n"))
            assert (await connection.answer()).status_code == 200
            ended = asyncio.create_task(connection.rest())
            while not ended.done():
                try:
                    await connection.send(b"a")
                except ConnectionError:
                    break
                await asyncio.sleep(0.01)

            assert await ended == b""
