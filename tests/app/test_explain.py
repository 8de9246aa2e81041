from __future__ import annotations

import asyncio
import io
import threading
from typing import Literal

import httpx
import pytest
from PIL import Image

from app.main import create_app
from app.settings import Settings
from tests.app.client import assert_problem, post
from tests.app.conftest import Load, serving
from tests.app.pictures import picture, spotted_picture
from tests.app.pipelines import until

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


class Door(asyncio.Semaphore):
    """Counts who comes, and who has been let in."""

    came = entered = 0

    async def acquire(self) -> Literal[True]:
        self.came += 1
        await super().acquire()
        self.entered += 1
        return True


async def test_drawing_whose_client_has_gone_keeps_its_place(
    settings: Settings, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = threading.Event()
    monkeypatch.setattr("app.explain.draw_heatmap", lambda *_: b"" if drawn.wait() else None)
    app = create_app(settings, load)
    async with serving(app) as client:
        door = app.state.service.drawing = Door(settings.threads)
        gone = [asyncio.create_task(explain(client, picture(), "image/png")) for _ in range(2)]
        try:
            await until(lambda: door.entered == 2)
            for task in gone:
                task.cancel()
            await asyncio.wait(gone)
            stays = asyncio.create_task(explain(client, picture(), "image/png"))
            await until(lambda: door.came == 3)
            assert door.entered == 2
        finally:
            drawn.set()
        assert (await stays).status_code == 200


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
