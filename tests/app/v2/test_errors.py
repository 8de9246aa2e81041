from __future__ import annotations

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from tests.app.client import assert_problem
from tests.app.conftest import Load
from tests.app.fake_engine import FakeEngine
from tests.app.pictures import picture
from tests.app.v2.requests import INFER, assert_error, image_request

pytestmark = pytest.mark.anyio


async def test_unknown_path_and_method_are_errors_of_the_protocol(
    fake_client: httpx.AsyncClient,
) -> None:
    assert_error(await fake_client.get("/v2/nothing"), 404, "/docs")
    wrong_method = await fake_client.get(INFER)
    assert_error(wrong_method, 405, "/docs")
    assert wrong_method.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/nothing", "/v2x", "/v1"])
async def test_other_paths_keep_their_problems(fake_client: httpx.AsyncClient, path: str) -> None:
    assert_problem(await fake_client.get(path), 404, "Not Found")


async def test_not_ready_before_the_model_is_loaded(settings: Settings, fake_load: Load) -> None:
    transport = httpx.ASGITransport(create_app(settings, fake_load))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        for path in ("/v2/health/ready", "/v2/models/red-or-blue", "/v2/models/red-or-blue/ready"):
            assert_error(await client.get(path), 503, "being loaded")
        assert_error(await client.post(INFER, json=image_request(picture())), 503, "being loaded")
        assert (await client.get("/v2/health/live")).json() == {"live": True}


async def test_engine_that_raises_is_told(
    fake_client: httpx.AsyncClient, fake_engine: FakeEngine
) -> None:
    fake_engine.faults = [ArithmeticError("a secret of the server")]

    response = await fake_client.post(INFER, json=image_request(picture()))

    assert_error(response, 500, "The engine failed")
    assert "secret" not in response.text


async def test_unexpected_fault_is_told_without_its_trace(
    fake_client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise LookupError("a secret of the server")

    monkeypatch.setattr("app.v2.routes.inference_response", fail)

    response = await fake_client.post(INFER, json=image_request(picture()))

    assert_error(response, 500, "its log says why")
    assert "secret" not in response.text
