from __future__ import annotations

from typing import Any

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from tests.app.access.keys import KEY, OTHER_KEY, WRONG_KEY
from tests.app.client import assert_problem, post, posted_picture
from tests.app.conftest import Load
from tests.app.pictures import picture
from tests.app.v2.requests import INFER, assert_error, image_request

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("key", [KEY, OTHER_KEY])
@pytest.mark.parametrize(
    "header",
    [
        ("X-API-Key", "{}"),
        ("x-api-key", "{}"),
        ("Authorization", "Bearer {}"),
        ("authorization", "bEARER  {}"),
    ],
)
async def test_either_key_in_either_header_is_taken(
    closed_client: httpx.AsyncClient, key: str, header: tuple[str, str]
) -> None:
    headers = {header[0]: header[1].format(key)}

    assert (await post(closed_client, picture(), headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": f"Basic {KEY}"},
        {"Authorization": KEY},
        {"Cookie": f"X-API-Key={KEY}"},
    ],
)
async def test_request_without_a_key_is_refused(
    closed_client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    response = await post(closed_client, picture(), headers=headers)

    assert_problem(response, 401, "Missing key")
    assert response.headers["www-authenticate"] == 'Bearer realm="alexnet"'


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Key": WRONG_KEY},
        {"X-API-Key": ""},
        {"X-API-Key": KEY + OTHER_KEY},
        {"X-API-Key": b"\xff\x1b"},
        {"Authorization": f"Bearer {WRONG_KEY}"},
        {"Authorization": "Bearer"},
        {"X-API-Key": WRONG_KEY, "Authorization": f"Bearer {KEY}"},
    ],
)
async def test_wrong_key_is_refused(
    closed_client: httpx.AsyncClient, headers: dict[str, Any]
) -> None:
    response = await post(closed_client, picture(), headers=headers)

    assert_problem(response, 401, "Wrong key")
    assert response.headers["www-authenticate"] == 'Bearer realm="alexnet", error="invalid_token"'
    assert WRONG_KEY not in response.text


async def test_key_beside_a_proxys_credentials_is_taken(closed_client: httpx.AsyncClient) -> None:
    headers = {"Authorization": f"Bearer {WRONG_KEY}", "X-API-Key": KEY}

    assert (await closed_client.get("/models", headers=headers)).status_code == 200


async def test_key_in_the_address_is_none(closed_client: httpx.AsyncClient) -> None:
    """Addresses stand in logs."""
    assert_problem(await closed_client.get(f"/models?x-api-key={KEY}"), 401, "Missing key")


async def test_refusal_below_v2_has_the_form_of_the_protocol(
    closed_client: httpx.AsyncClient,
) -> None:
    missing = await closed_client.post(INFER, json=image_request(picture()))
    wrong = await closed_client.get("/v2", headers={"X-API-Key": WRONG_KEY})

    assert_error(missing, 401, "X-API-Key")
    assert_error(wrong, 401, "another one")
    assert missing.headers["www-authenticate"] == 'Bearer realm="alexnet"'


async def messages_to(app: Any, scope: dict[str, Any]) -> list[dict[str, Any]]:
    """Call the app with a body that must not be asked for, and return what it sends."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        raise AssertionError("the body was read")

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


@pytest.mark.parametrize("path", ["/predict", "/predict/batch", "/explain", INFER, "/made-up"])
async def test_body_is_not_read(closed_settings: Settings, fake_load: Load, path: str) -> None:
    app = create_app(closed_settings, fake_load)

    sent = await messages_to(app, posted_picture() | {"path": path})

    assert sent[0]["status"] == 401


async def test_web_socket_is_closed(closed_settings: Settings, fake_load: Load) -> None:
    app = create_app(closed_settings, fake_load)
    scope = {"type": "websocket", "path": "/events", "headers": [], "query_string": b""}

    assert await messages_to(app, scope) == [
        {"type": "websocket.close", "code": 1008, "reason": ""}
    ]


async def test_refusals_are_counted_by_their_kind(closed_client: httpx.AsyncClient) -> None:
    await closed_client.get("/made-up-by-a-stranger")
    await closed_client.get("/models", headers={"X-API-Key": WRONG_KEY})

    figures = (await closed_client.get("/metrics", headers={"X-API-Key": KEY})).text
    for kind in ("missing-key", "wrong-key"):
        line = f'alexnet_requests_total{{problem="{kind}",route="other",status="401"}} 1.0'
        assert line in figures
