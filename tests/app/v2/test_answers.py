from __future__ import annotations

from pathlib import Path

import httpx
import numpy as np
import pytest

from app.main import create_app
from app.model import Model
from app.settings import Settings
from tests.app.cards import card_of
from tests.app.client import post
from tests.app.conftest import serving
from tests.app.fake_engine import FakeEngine
from tests.app.pictures import BLUE, RED, picture
from tests.app.v2.requests import INFER, assert_error, image_request, outputs

pytestmark = pytest.mark.anyio

COLORS = [RED, BLUE, (30, 0, 0), (99, 45, 83), (120, 200, 20)]


async def test_answers_are_those_of_predict_to_the_last_digit(client: httpx.AsyncClient) -> None:
    files = [picture(color, size=(300, 200)) for color in COLORS]

    answer = outputs(await client.post(INFER, json=image_request(*files)))

    for number, file in enumerate(files):
        alone = (await post(client, file)).json()
        scores = {each["label"]: each["score"] for each in alone["predictions"]}
        assert answer["probabilities"][2 * number : 2 * number + 2] == [
            scores["red"],
            scores["blue"],
        ]
        assert answer["labels"][number] == alone["label"]
        assert answer["typicality"][number] == alone["typicality"]
        assert answer["in_domain"][number] == alone["in_domain"]
    assert len(set(answer["probabilities"])) == 2 * len(files)
    assert set(answer["in_domain"]) == {True, False}


async def test_response_has_every_part(client: httpx.AsyncClient) -> None:
    request = image_request(picture(RED), picture(BLUE), id="forty-two é")

    answer = (await client.post(INFER, json=request)).json()

    assert {name: answer[name] for name in ("model_name", "model_version", "id")} == {
        "model_name": "red-or-blue",
        "model_version": "1.2.3",
        "id": "forty-two é",
    }
    assert [(each["name"], each["datatype"], each["shape"]) for each in answer["outputs"]] == [
        ("probabilities", "FP32", [2, 2]),
        ("labels", "BYTES", [2]),
        ("typicality", "FP32", [2]),
        ("in_domain", "BOOL", [2]),
    ]


async def test_response_has_no_id_where_the_request_has_none(client: httpx.AsyncClient) -> None:
    assert "id" not in (await client.post(INFER, json=image_request(picture()))).json()


async def test_outputs_are_those_asked_for(client: httpx.AsyncClient) -> None:
    request = image_request(picture(BLUE), outputs=[{"name": "labels"}])

    assert outputs(await client.post(INFER, json=request)) == {"labels": ["blue"]}


@pytest.mark.parametrize("names", [["label"], ["labels", ""], ["labels", "labels"]])
async def test_other_outputs_are_refused(client: httpx.AsyncClient, names: list[str]) -> None:
    request = image_request(picture(), outputs=[{"name": name} for name in names])

    assert_error(await client.post(INFER, json=request), 400, "probabilities, labels, typicality")


async def test_model_without_a_domain_answers_without_it(
    settings: Settings, fake_engine: FakeEngine, tmp_path: Path
) -> None:
    model = Model(card_of(tmp_path).model_copy(update={"domain": None}), [fake_engine])
    asked = image_request(picture(), outputs=[{"name": "typicality"}])
    async with serving(create_app(settings, lambda _: model)) as client:
        answer = outputs(await client.post(INFER, json=image_request(picture())))
        assert set(answer) == {"probabilities", "labels"}
        assert_error(await client.post(INFER, json=asked), 400, "some of probabilities, labels.")


async def test_an_output_overrides_the_form_of_all(client: httpx.AsyncClient) -> None:
    request = image_request(
        picture(BLUE),
        parameters={"binary_data_output": True},
        outputs=[
            {"name": "probabilities"},
            {"name": "labels", "parameters": {"binary_data": False}},
        ],
    )

    response = await client.post(INFER, json=request)

    assert response.headers["content-type"] == "application/octet-stream"
    header_length = int(response.headers["inference-header-content-length"])
    assert response.content[:header_length].endswith(b'"data":["blue"]}]}')
    assert b'"binary_data_size":8' in response.content[:header_length]
    red, blue = np.frombuffer(response.content[header_length:], "<f4")
    assert red + blue == pytest.approx(1, abs=1e-5)
