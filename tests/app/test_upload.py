from __future__ import annotations

import httpx
import pytest

from tests.app.client import assert_problem, post
from tests.app.pictures import BLUE, picture

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("content_type", ["image/jpeg", "image/*", "application/octet-stream"])
async def test_body_may_be_the_picture(client: httpx.AsyncClient, content_type: str) -> None:
    response = await client.post(
        "/predict", content=picture(BLUE), headers={"content-type": content_type}
    )

    assert response.json()["label"] == "blue"


async def test_too_many_bytes_are_refused(client: httpx.AsyncClient) -> None:
    assert_problem(await post(client, bytes(50_001)), 413, "File too large")


async def test_empty_file_is_refused(client: httpx.AsyncClient) -> None:
    assert_problem(await post(client, b""), 400, "Empty file")


async def test_missing_field_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.post("/predict", files={"picture": ("upload", picture())})

    assert_problem(response, 422, "Missing file")


async def test_form_that_cannot_hold_files_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.post("/predict", data={"file": "photo.jpg"})

    assert_problem(response, 422, "Missing file")


async def test_nothing_at_all_is_refused(client: httpx.AsyncClient) -> None:
    assert_problem(await client.post("/predict"), 422, "Missing file")


async def test_long_content_types_are_not_parsed(client: httpx.AsyncClient) -> None:
    headers = {"content-type": "multipart/form-data" + ";" * 2000}
    response = await client.post("/predict", content=b"a", headers=headers)

    assert_problem(response, 415, "Unsupported content type")
    assert "too long" in response.json()["detail"]


async def test_other_content_types_are_refused(client: httpx.AsyncClient) -> None:
    assert_problem(await client.post("/predict", json={}), 415, "Unsupported content type")


async def test_malformed_multipart_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/predict",
        content=b"no boundary in here",
        headers={"content-type": "multipart/form-data; boundary=x"},
    )

    assert_problem(response, 400, "Malformed upload")
