from __future__ import annotations

import httpx
import pytest

from app.images import ImageTooSlowError
from tests.app.client import assert_problem, post
from tests.app.pictures import picture

pytestmark = pytest.mark.anyio


async def test_unknown_path_is_a_problem(client: httpx.AsyncClient) -> None:
    assert_problem(await client.get("/nothing"), 404, "Not Found")


async def test_wrong_method_is_a_problem(client: httpx.AsyncClient) -> None:
    response = await client.get("/predict")

    assert_problem(response, 405, "Method Not Allowed")
    assert response.headers["allow"] == "POST"


async def test_unexpected_fault_is_told_without_its_trace(
    fake_client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise LookupError("a secret of the server")

    monkeypatch.setattr("app.service.Service.classify", fail)

    response = await post(fake_client, picture())

    assert_problem(response, 500, "Internal Server Error")
    assert "secret" not in response.text


async def test_picture_that_takes_too_long_is_a_problem(
    fake_client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: bytes, __: tuple[int, int], pixels: int, seconds: float) -> None:
        raise ImageTooSlowError(f"{pixels} pixels take more than {seconds} s.")

    monkeypatch.setattr("app.service.decode_image", fail)

    response = await post(fake_client, picture())

    assert_problem(response, 422, "Image too slow")
    assert response.json()["detail"] == "1000000 pixels take more than 5.0 s."


async def test_openapi_lists_every_response(fake_client: httpx.AsyncClient) -> None:
    document = (await fake_client.get("/openapi.json")).json()

    responses = document["paths"]["/predict"]["post"]["responses"]
    assert " ".join(sorted(responses)) == "200 400 408 413 415 422 500 503 504"
    for status, response in responses.items():
        media_type = "application/json" if status == "200" else "application/problem+json"
        assert list(response["content"]) == [media_type]
    titles = {
        title
        for status, response in responses.items()
        if status != "200"
        for title in response["content"]["application/problem+json"]["examples"]
    }
    assert {
        "Broken image",
        "Image too large",
        "Image too slow",
        "Missing file",
        "Overloaded",
    } <= titles
    assert "503" in document["paths"]["/health/ready"]["get"]["responses"]
