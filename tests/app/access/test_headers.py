from __future__ import annotations

import httpx
import pytest

from tests.app.access.keys import KEY
from tests.app.client import post
from tests.app.pictures import picture

pytestmark = pytest.mark.anyio

PAGES = {"/", "/docs"}
# The file of a page keeps its policy, which a browser would else take from a 304 for the page's.
FILES = {"/page/main.js", "/docs/main.js", "/docs/swagger-ui-bundle.js"}
PATHS = [
    *sorted(PAGES | FILES),
    "/openapi.json",
    "/models",
    "/metrics",
    "/health/live",
    "/v2",
    "/v2/nothing",
    "/nothing",
    "/page/nothing.js",
    "/predict",
]


def assert_secured(response: httpx.Response, path: str) -> None:
    headers = response.headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy
    assert not any(word in policy for word in ("unsafe", "*", "http:", "https:", "nonce"))
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["x-permitted-cross-domain-policies"] == "none"
    assert "microphone=()" in headers["permissions-policy"]
    kept = path in PAGES | FILES and response.status_code != 401
    assert headers["cache-control"] == ("no-cache" if kept else "no-store")
    assert ("script-src 'self'" in policy) == kept
    names = [name.lower() for name, _ in headers.multi_items()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("path", PATHS)
async def test_answers_and_errors_are_secured(fake_client: httpx.AsyncClient, path: str) -> None:
    response = await fake_client.get(path)

    assert response.headers["content-type"]
    assert_secured(response, path)


@pytest.mark.parametrize("path", PATHS)
async def test_refusals_are_secured(closed_client: httpx.AsyncClient, path: str) -> None:
    assert_secured(await closed_client.get(path), path)


async def test_prediction_is_secured(fake_client: httpx.AsyncClient) -> None:
    assert_secured(await post(fake_client, picture()), "/predict")


async def test_unchanged_page_keeps_its_policy(fake_client: httpx.AsyncClient) -> None:
    page = await fake_client.get("/")
    again = await fake_client.get("/", headers={"If-None-Match": page.headers["etag"]})

    assert again.status_code == 304
    assert again.headers["content-security-policy"] == page.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/predict", "/v2/models/red-or-blue/infer"])
async def test_fault_is_secured(
    fake_client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr("app.service.Service.check_ready", lambda _: 1 / 0)

    response = await fake_client.post(path, headers={"X-API-Key": KEY})

    assert response.status_code == 500
    assert_secured(response, path)
