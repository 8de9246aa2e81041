from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from app.main import create_app
from app.settings import Settings
from tests.app.access.keys import KEY
from tests.app.client import posted_picture
from tests.app.conftest import Load, serving

pytestmark = pytest.mark.anyio

SITE = "https://pictures.example.org"
OPEN = {
    "/",
    "/page/{path}",
    "/docs",
    "/docs/{path}",
    "/openapi.json",
    "/health/live",
    "/health/ready",
    "/v2/health/live",
    "/v2/health/ready",
}


def declared(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Yield method and path of everything that the app answers."""
    for context in iter_route_contexts(app.routes):
        for method in context.methods or {"GET"}:
            yield method, context.path_format


def test_routes_are_found(closed_settings: Settings, fake_load: Load) -> None:
    paths = {path for _, path in declared(create_app(closed_settings, fake_load))}

    assert paths > OPEN
    assert {"/predict", "/v2/models/{name}/versions/{version}/infer", "/metrics"} < paths


@pytest.mark.parametrize("open_metrics", [False, True])
async def test_every_route_but_a_few_needs_a_key(
    closed_settings: Settings, fake_load: Load, open_metrics: bool
) -> None:
    settings = closed_settings.model_copy(update={"open_metrics": open_metrics})
    app = create_app(settings, fake_load)
    app.add_api_route("/added/later", lambda: "a secret", methods=["GET", "DELETE"])
    async with serving(app) as client:
        answered = {
            path
            for method, path in declared(app)
            if (await client.request(method, path)).status_code != 401
        }

    assert answered == OPEN | ({"/metrics"} if open_metrics else set())


@pytest.mark.parametrize(
    "path",
    [
        "/page/../models",
        "/page/../../main.py",
        "/page//models",
        "/page/./models",
        "/docs/../models",
        "/docs/../main.py",
        "//models",
        "/models/",
        "/models/../health/live",
        "/health/live/../../models",
        "/health/live/",
        "/health/live\x00",
        "/MODELS",
        "models",
        "",
    ],
)
async def test_no_path_leads_around_the_key(
    closed_settings: Settings, fake_load: Load, path: str
) -> None:
    """As servers hand them over: httpx would straighten them."""
    started: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: dict[str, Any]) -> None:
        started.append(message)

    app = create_app(closed_settings, fake_load)
    async with serving(app):
        await app(posted_picture() | {"method": "GET", "path": path}, receive, send)

    assert started[0]["status"] in {401, 404}


async def test_with_a_key_everything_is_found(closed_client: httpx.AsyncClient) -> None:
    headers = {"X-API-Key": KEY}
    for path in ("/models", "/metrics", "/v2", "/v2/models/red-or-blue"):
        assert (await closed_client.get(path, headers=headers)).status_code == 200
    assert (await closed_client.get("/nothing", headers=headers)).status_code == 404


@pytest.fixture
async def admitting_client(
    closed_settings: Settings, fake_load: Load
) -> AsyncIterator[httpx.AsyncClient]:
    settings = closed_settings.model_copy(update={"cors_origins": (SITE,)})
    async with serving(create_app(settings, fake_load)) as client:
        yield client


def preflight(origin: str, headers: str = "x-api-key", method: str = "POST") -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }


@pytest.mark.parametrize("headers", ["x-api-key", "authorization,content-type"])
async def test_browser_of_an_admitted_site_may_send_a_key(
    admitting_client: httpx.AsyncClient, headers: str
) -> None:
    response = await admitting_client.options("/predict", headers=preflight(SITE, headers))

    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == SITE
    assert "access-control-allow-credentials" not in response.headers
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_answers_and_refusals_are_shown_to_an_admitted_site(
    admitting_client: httpx.AsyncClient,
) -> None:
    for headers, status in (({"X-API-Key": KEY}, 200), ({}, 401)):
        response = await admitting_client.get("/models", headers={"Origin": SITE, **headers})
        assert response.status_code == status
        assert response.headers["access-control-allow-origin"] == SITE
        assert "www-authenticate" in response.headers["access-control-expose-headers"].lower()
        assert response.headers["vary"] == "Origin"


async def test_fault_is_shown_to_an_admitted_site(
    admitting_client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.service.Service.check_ready", lambda _: 1 / 0)

    response = await admitting_client.get("/models", headers={"Origin": SITE, "X-API-Key": KEY})

    assert response.status_code == 500
    assert response.headers["access-control-allow-origin"] == SITE


@pytest.mark.parametrize("origin", ["https://elsewhere.example.org", "null", f"{SITE}.evil.org"])
async def test_other_sites_are_not_admitted(
    admitting_client: httpx.AsyncClient, origin: str
) -> None:
    asked = await admitting_client.options("/predict", headers=preflight(origin))
    answered = await admitting_client.get("/health/live", headers={"Origin": origin})

    assert asked.status_code == 400
    assert "access-control-allow-origin" not in asked.headers
    assert "access-control-allow-origin" not in answered.headers


@pytest.mark.parametrize(
    ("origin", "asked_for", "refused"),
    [
        ("https://elsewhere.example.org", {}, "origin"),
        (SITE, {"method": "DELETE", "headers": "x-secret"}, "method, headers"),
    ],
)
async def test_refused_preflight_is_a_problem_that_tells_what_is_allowed(
    admitting_client: httpx.AsyncClient, origin: str, asked_for: dict[str, str], refused: str
) -> None:
    response = await admitting_client.options("/predict", headers=preflight(origin, **asked_for))

    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"] == "/problems/preflight-refused"
    assert problem["status"] == 400
    assert problem["detail"].startswith(f"Disallowed CORS {refused}: ")
    assert response.headers["access-control-allow-methods"] == "GET, POST"
    assert "X-API-Key" in response.headers["access-control-allow-headers"]
    assert response.headers.get("access-control-allow-origin") == (SITE if origin == SITE else None)
    assert response.headers["vary"].startswith("Origin, Access-Control-Request-Method")


async def test_refused_preflight_below_v2_is_in_its_form(
    admitting_client: httpx.AsyncClient,
) -> None:
    response = await admitting_client.options("/v2", headers=preflight("https://evil.example"))

    assert response.status_code == 400
    assert response.json()["error"].startswith("Disallowed CORS origin: ")


async def test_no_site_is_admitted_by_default(fake_client: httpx.AsyncClient) -> None:
    asked = await fake_client.options("/predict", headers=preflight(SITE))
    answered = await fake_client.get("/health/live", headers={"Origin": SITE})

    assert asked.status_code == 405
    for response in (asked, answered):
        assert not [name for name in response.headers if name.startswith("access-control")]


async def started_log(
    settings: Settings, load: Load, caplog: pytest.LogCaptureFixture
) -> list[tuple[int, str]]:
    with caplog.at_level(logging.INFO, "app.access"):
        async with serving(create_app(settings, load)):
            pass
    return [(each.levelno, each.message) for each in caplog.records if "access" in each.name]


async def test_open_service_says_so_when_it_starts(
    settings: Settings, fake_load: Load, caplog: pytest.LogCaptureFixture
) -> None:
    ((level, sentence),) = await started_log(settings, fake_load, caplog)

    assert level == logging.WARNING
    assert sentence.startswith("open: whoever reaches the port may ask")


async def test_closed_service_says_how_many_keys_there_are(
    closed_settings: Settings, fake_load: Load, caplog: pytest.LogCaptureFixture
) -> None:
    settings = closed_settings.model_copy(update={"cors_origins": (SITE,)})

    sentences = [each for _, each in await started_log(settings, fake_load, caplog)]

    assert sentences == [
        "closed: requests need a key; accepted keys: 2",
        f"pages of {SITE} may ask",
    ]
    assert KEY not in caplog.text
