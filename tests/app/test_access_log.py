from __future__ import annotations

import json
import logging
import re
from typing import Any

import httpx
import pytest

from app.log import ConsoleFormatter, JSONFormatter
from app.main import create_app
from app.request_id import request_id
from app.settings import Settings
from tests.app.client import post
from tests.app.conftest import Load, serving
from tests.app.pictures import picture

pytestmark = pytest.mark.anyio


@pytest.fixture
def logging_settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"access_log": True})


def lines(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [each for each in caplog.records if each.name == "app.access_log"]


def as_json(record: logging.LogRecord) -> dict[str, Any]:
    return json.loads(JSONFormatter().format(record))


async def test_nothing_is_logged_unless_asked_for(
    fake_client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "app")
    await post(fake_client, picture())

    assert lines(caplog) == []


async def test_every_request_is_a_line(
    logging_settings: Settings, fake_load: Load, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(create_app(logging_settings, fake_load)) as client:
        caplog.set_level(logging.INFO, "app")
        answer = await post(client, picture(), "/predict?token=secret", {"X-Request-ID": "mine"})
        await client.get("/nothing%0Aat%20all", headers={"X-Request-ID": "other"})

    first, second = lines(caplog)
    line = as_json(first)
    assert line["ms"] >= 0
    assert (
        line.items()
        >= {
            "logger": "app.access_log",
            "level": "info",
            "client": "127.0.0.1",
            "method": "POST",
            "path": "/predict",
            "status": 200,
            "bytes": len(answer.content),
        }.items()
    )
    assert as_json(second)["path"] == "/nothing%0Aat%20all"
    assert as_json(second)["status"] == 404
    console = ConsoleFormatter().format(first)
    pattern = rf"127\.0\.0\.1 POST /predict 200, {len(answer.content)} bytes in [\d.]+ ms"
    assert re.search(pattern, console)
    assert "secret" not in console + first.getMessage() + json.dumps(line)


async def test_failures_and_their_names_are_logged(
    logging_settings: Settings,
    fake_load: Load,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names: list[str] = []

    class Named(logging.Filter):
        def filter(self, _: logging.LogRecord) -> bool:
            names.append(request_id.get())
            return True

    monkeypatch.setattr("app.service.Service.classify", lambda *_: 1 / 0)
    async with serving(create_app(logging_settings, fake_load)) as client:
        caplog.set_level(logging.INFO, "app")
        logger, named = logging.getLogger("app.access_log"), Named()
        logger.addFilter(named)
        await post(client, picture(), headers={"X-Request-ID": "mine"})
        logger.removeFilter(named)

    (record,) = lines(caplog)
    assert as_json(record)["status"] == 500
    assert names == ["mine"]
