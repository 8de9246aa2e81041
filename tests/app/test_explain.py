from __future__ import annotations

import asyncio
import io
import threading

import httpx
import pytest
from PIL import Image

from tests.app.client import assert_problem, post
from tests.app.pictures import picture, spotted_picture

pytestmark = pytest.mark.anyio


async def explain(client: httpx.AsyncClient, data: bytes, accept: str = "*/*") -> httpx.Response:
    return await post(client, data, path="/explain", headers={"accept": accept})


async def test_answer_is_a_prediction_and_a_grid(client: httpx.AsyncClient) -> None:
    response = await explain(client, spotted_picture())

    assert response.status_code == 200
    assert response.headers["vary"] == "Accept"
    answer = response.json()
    grid = answer.pop("grid")
    predicted = (await post(client, spotted_picture())).json()
    assert answer.pop("timing_ms").keys() == predicted.pop("timing_ms").keys()
    assert answer == predicted
    assert [len(row) for row in grid] == [10] * 10
    assert min(map(min, grid)) == grid[2][7] < 0 < grid[7][2]
    assert all(round(number, 4) == number for row in grid for number in row)


async def test_body_may_be_the_picture(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/explain", content=picture(), headers={"content-type": "image/jpeg"}
    )

    assert response.json()["label"] == "red"


async def test_picture_under_its_heat_is_drawn(client: httpx.AsyncClient) -> None:
    response = await explain(client, spotted_picture(800, 600), "image/png")

    assert response.headers["content-type"] == "image/png"
    assert response.headers["vary"] == "Accept"
    assert Image.open(io.BytesIO(response.content)).size == (512, 384)


async def test_drawing_whose_client_has_gone_keeps_its_place(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawing, drawn = threading.Semaphore(0), threading.Event()
    most = 2  # as many as threads

    def draw(*_: object) -> bytes:
        drawing.release()
        drawn.wait()
        return b""

    monkeypatch.setattr("app.explain.draw_heatmap", draw)
    tasks = [asyncio.create_task(explain(client, picture(), "image/png")) for _ in range(most + 1)]
    for _ in range(most):
        await asyncio.to_thread(drawing.acquire)
    try:
        for task in tasks[:most]:
            task.cancel()
        await asyncio.sleep(0.1)
        assert not drawing.acquire(blocking=False)
    finally:
        drawn.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(answers[-1], httpx.Response)


async def test_other_media_types_are_not_acceptable(client: httpx.AsyncClient) -> None:
    assert_problem(await explain(client, picture(), "text/html"), 406, "Not acceptable")


@pytest.mark.parametrize("accept", ["*/*", "image/png"])
async def test_what_is_no_picture_is_a_problem(client: httpx.AsyncClient, accept: str) -> None:
    response = await explain(client, b"a cat, in words", accept)

    assert_problem(response, 415, "Unsupported image")


async def test_openapi_tells_of_both_forms(fake_client: httpx.AsyncClient) -> None:
    document = (await fake_client.get("/openapi.json")).json()

    responses = document["paths"]["/explain"]["post"]["responses"]
    assert " ".join(sorted(responses)) == "200 400 406 408 413 415 422 500 503 504"
    assert set(responses["200"]["content"]) == {"application/json", "image/png"}
