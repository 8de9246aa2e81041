from __future__ import annotations

import io
from pathlib import Path

import httpx
import pytest
from PIL import Image

from app.images import FORMATS
from app.main import create_app
from app.model import Model
from app.settings import Settings
from tests.app.cards import card_of
from tests.app.client import assert_problem, post
from tests.app.conftest import serving
from tests.app.fake_engine import FakeEngine
from tests.app.pictures import BLUE, RED, picture, sideways_picture

pytestmark = pytest.mark.anyio


async def test_answer_has_every_part(client: httpx.AsyncClient) -> None:
    response = await post(client, picture(RED))

    assert response.status_code == 200
    answer = response.json()
    first, second = answer["predictions"]
    assert answer["label"] == first["label"] == "red"
    assert answer["score"] == first["score"] > second["score"]
    assert second["label"] == "blue"
    assert first["score"] + second["score"] == pytest.approx(1, abs=1e-5)
    assert answer["in_domain"] is True
    assert 0 < answer["typicality"] <= 1
    assert answer["model"] == {"name": "red-or-blue", "version": "1.2.3"}
    assert answer["image"] == {"width": 64, "height": 48, "format": "JPEG"}
    assert set(answer["timing_ms"]) == {"decode", "queue", "inference"}
    assert all(milliseconds >= 0 for milliseconds in answer["timing_ms"].values())


async def test_picture_unlike_the_training_is_labelled_all_the_same(
    client: httpx.AsyncClient,
) -> None:
    answer = (await post(client, picture((1, 0, 0)))).json()

    assert answer["label"] in {"red", "blue"}
    assert answer["in_domain"] is False
    assert answer["typicality"] < 0.25


async def test_model_that_cannot_tell_what_is_typical_does_not_try(
    settings: Settings, fake_engine: FakeEngine, tmp_path: Path
) -> None:
    model = Model(card_of(tmp_path).model_copy(update={"domain": None}), [fake_engine])
    async with serving(create_app(settings, lambda _: model)) as client:
        answer = (await post(client, picture(RED))).json()

    assert answer["in_domain"] is answer["typicality"] is None


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize(("color", "label"), [(RED, "red"), (BLUE, "blue")])
async def test_every_format_is_classified(
    client: httpx.AsyncClient, file_format: str, color: tuple[int, int, int], label: str
) -> None:
    answer = (await post(client, picture(color, file_format=file_format))).json()

    assert answer["label"] == label
    assert answer["image"]["format"] == file_format


async def test_exif_turns_the_picture(client: httpx.AsyncClient) -> None:
    answer = (await post(client, sideways_picture())).json()

    assert (answer["image"]["width"], answer["image"]["height"]) == (48, 64)


async def test_text_is_not_an_image(client: httpx.AsyncClient) -> None:
    assert_problem(await post(client, b"a cat, in words"), 415, "Unsupported image")


async def test_truncated_image_is_broken(client: httpx.AsyncClient) -> None:
    assert_problem(await post(client, picture(size=(300, 300))[:-300]), 400, "Broken image")


async def test_too_many_pixels_are_refused(client: httpx.AsyncClient) -> None:
    huge = io.BytesIO()
    Image.new("1", (1001, 1000)).save(huge, "PNG")

    assert_problem(await post(client, huge.getvalue()), 413, "Image too large")


async def test_models_is_the_card_with_engine_and_device(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/models")).json()

    assert answer["name"] == "red-or-blue"
    assert answer["labels"] == ["red", "blue"]
    assert answer["input_shape"] == [227, 227, 3]
    assert answer["engine"] in {"Fake", "LiteRT"}
    assert answer["device"] == "cpu"


async def test_openapi_lets_a_file_be_picked(fake_client: httpx.AsyncClient) -> None:
    document = (await fake_client.get("/openapi.json")).json()

    content = document["paths"]["/predict"]["post"]["requestBody"]["content"]
    assert content["multipart/form-data"]["schema"]["properties"]["file"]["format"] == "binary"
    assert content["image/*"]["schema"]["format"] == "binary"
