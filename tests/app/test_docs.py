from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from tests.app.client import assert_problem
from tests.app.conftest import Load, serving

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client_without_docs(
    settings: Settings, fake_load: Load
) -> AsyncIterator[httpx.AsyncClient]:
    without = settings.model_copy(update={"docs": False})
    async with serving(create_app(without, fake_load)) as client:
        yield client


async def test_all_that_the_page_names_is_served(fake_client: httpx.AsyncClient) -> None:
    markup = (await fake_client.get("/docs")).text
    addresses = re.findall(r'(?:href|src)="([^"]+)"', markup)

    assert "docs/swagger-ui-bundle.js" in addresses
    for address in addresses:
        assert (await fake_client.get("/" + address)).status_code == 200


async def test_markup_has_no_style_and_no_script_of_its_own(
    fake_client: httpx.AsyncClient,
) -> None:
    markup = (await fake_client.get("/docs")).text

    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]* src=)", markup)


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/docs/main.js", "/redoc"])
async def test_docs_can_be_switched_off(client_without_docs: httpx.AsyncClient, path: str) -> None:
    response = await client_without_docs.get(path)

    assert_problem(response, 404, "Not Found")
    assert "see /docs" not in response.text


async def test_service_answers_without_docs(client_without_docs: httpx.AsyncClient) -> None:
    assert (await client_without_docs.get("/models")).status_code == 200
