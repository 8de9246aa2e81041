from __future__ import annotations

import asyncio
import io
import threading
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from PIL import Image

from app.main import create_app
from app.settings import Settings
from tests.app.conftest import Load, serving
from tests.app.fake_engine import FakeEngine
from tests.app.pictures import BLUE, RED, picture, sideways_picture

pytestmark = pytest.mark.anyio


async def post(client: httpx.AsyncClient, data: bytes) -> httpx.Response:
    return await client.post("/predict", files={"file": ("upload", data)})


def assert_problem(response: httpx.Response, status: int, title: str) -> None:
    assert response.headers["content-type"] == "application/problem+json"
    assert response.status_code == status
    problem = response.json()
    assert set(problem) == {"type", "title", "status", "detail"}
    assert problem["title"] == title
    assert problem["status"] == status
    assert problem["detail"].endswith(".")


async def test_answer_has_every_part(client: httpx.AsyncClient) -> None:
    response = await post(client, picture(RED))

    assert response.status_code == 200
    answer = response.json()
    first, second = answer["predictions"]
    assert answer["label"] == first["label"] == "red"
    assert answer["score"] == first["score"] > second["score"]
    assert second["label"] == "blue"
    assert first["score"] + second["score"] == pytest.approx(1, abs=1e-5)
    assert answer["model"] == {"name": "red-or-blue", "version": "1.2.3"}
    assert answer["image"] == {"width": 64, "height": 48, "format": "JPEG"}
    assert set(answer["timing_ms"]) == {"decode", "queue", "inference"}
    assert all(milliseconds >= 0 for milliseconds in answer["timing_ms"].values())


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
@pytest.mark.parametrize(("color", "label"), [(RED, "red"), (BLUE, "blue")])
async def test_every_format_is_classified(
    client: httpx.AsyncClient, file_format: str, color: tuple[int, int, int], label: str
) -> None:
    answer = (await post(client, picture(color, file_format=file_format))).json()

    assert answer["label"] == label
    assert answer["image"]["format"] == file_format


@pytest.mark.parametrize("content_type", ["image/jpeg", "image/*", "application/octet-stream"])
async def test_body_may_be_the_picture(client: httpx.AsyncClient, content_type: str) -> None:
    response = await client.post(
        "/predict", content=picture(BLUE), headers={"content-type": content_type}
    )

    assert response.json()["label"] == "blue"


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


async def test_too_many_bytes_are_refused(client: httpx.AsyncClient) -> None:
    assert_problem(await post(client, bytes(50_001)), 413, "File too large")


async def test_empty_file_is_refused(client: httpx.AsyncClient) -> None:
    assert_problem(await post(client, b""), 400, "Empty file")


async def test_missing_field_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.post("/predict", files={"picture": ("upload", picture())})

    assert_problem(response, 422, "Missing file")


async def test_nothing_at_all_is_refused(client: httpx.AsyncClient) -> None:
    assert_problem(await client.post("/predict"), 422, "Missing file")


async def test_other_content_types_are_refused(client: httpx.AsyncClient) -> None:
    assert_problem(await client.post("/predict", json={}), 415, "Unsupported content type")


async def test_malformed_multipart_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/predict",
        content=b"no boundary in here",
        headers={"content-type": "multipart/form-data; boundary=x"},
    )

    assert_problem(response, 400, "Malformed upload")


async def test_unknown_path_is_a_problem(client: httpx.AsyncClient) -> None:
    assert_problem(await client.get("/nothing"), 404, "Not Found")


async def test_wrong_method_is_a_problem(client: httpx.AsyncClient) -> None:
    response = await client.get("/predict")

    assert_problem(response, 405, "Method Not Allowed")
    assert response.headers["allow"] == "POST"


async def test_one_bad_picture_fails_alone(client: httpx.AsyncClient) -> None:
    uploads = [picture(RED if number % 2 else BLUE) for number in range(20)]
    uploads[7] = picture(size=(300, 300))[:-300]

    responses = await asyncio.gather(*(post(client, upload) for upload in uploads))

    assert_problem(responses.pop(7), 400, "Broken image")
    labels = ["red" if number % 2 else "blue" for number in range(20) if number != 7]
    assert [response.json()["label"] for response in responses] == labels


async def test_every_concurrent_upload_gets_its_own_answer(client: httpx.AsyncClient) -> None:
    reds = range(0, 250, 5)

    responses = await asyncio.gather(
        *(post(client, picture((red, 0, 250 - red), file_format="PNG")) for red in reds)
    )

    scores = [
        next(each["score"] for each in response.json()["predictions"] if each["label"] == "red")
        for response in responses
    ]
    assert scores == sorted(scores)
    assert len(set(scores)) == len(scores)


async def test_engine_that_raises_fails_one_batch(
    fake_client: httpx.AsyncClient, fake_engine: FakeEngine
) -> None:
    fake_engine.faults = [ArithmeticError("of the engine")]

    assert_problem(await post(fake_client, picture()), 500, "Inference failed")
    assert (await post(fake_client, picture())).status_code == 200


async def test_end_of_the_inference_thread_is_not_ready(
    fake_client: httpx.AsyncClient, fake_engine: FakeEngine
) -> None:
    fake_engine.faults = [SystemExit()]

    assert_problem(await post(fake_client, picture()), 503, "Not ready")
    assert_problem(await post(fake_client, picture()), 503, "Not ready")
    assert_problem(await fake_client.get("/health/ready"), 503, "Not ready")
    assert (await fake_client.get("/health/live")).status_code == 200


async def test_full_queue_is_overloaded(
    settings: Settings, fake_load: Load, fake_engine: FakeEngine
) -> None:
    narrow = settings.model_copy(update={"max_queue": 1, "max_batch": 1})
    async with serving(create_app(narrow, fake_load)) as client:
        fake_engine.free.clear()
        predicted = asyncio.create_task(post(client, picture()))
        await asyncio.to_thread(fake_engine.entered.wait)
        others = [asyncio.create_task(post(client, picture())) for _ in range(2)]
        (refused,), waiting = await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)

        assert_problem(refused.result(), 503, "Overloaded")
        assert refused.result().headers["retry-after"] == "1"

        fake_engine.free.set()
        assert [(await each).status_code for each in (predicted, *waiting)] == [200, 200]


async def test_picture_of_a_client_that_left_is_skipped(
    settings: Settings, fake_load: Load, fake_engine: FakeEngine
) -> None:
    app = create_app(settings, fake_load)
    async with serving(app) as client:
        fake_engine.free.clear()
        predicted = asyncio.create_task(post(client, picture()))
        await asyncio.to_thread(fake_engine.entered.wait)
        await leave_while_waiting(app, picture())

        fake_engine.free.set()
        assert (await predicted).status_code == 200
        assert (await post(client, picture())).status_code == 200
    assert fake_engine.batch_sizes == [1, 1]


async def leave_while_waiting(app: FastAPI, data: bytes) -> None:
    """Send a picture as a client that disconnects before the engine has answered."""
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": data}]

    async def receive() -> dict[str, Any]:
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def send(_: object) -> None:
        pass

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/predict",
        "query_string": b"",
        "headers": [(b"content-type", b"image/jpeg")],
    }
    await app(scope, receive, send)


async def test_unexpected_fault_is_told_without_its_trace(
    fake_client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise LookupError("a secret of the server")

    monkeypatch.setattr("app.decoder.decode_image", fail)

    response = await post(fake_client, picture())

    assert_problem(response, 500, "Internal Server Error")
    assert "secret" not in response.text


async def test_decoding_keeps_off_the_event_loop(
    fake_client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.decoder import decode_image

    threads: list[threading.Thread] = []

    def watched(*arguments: Any) -> Any:
        threads.append(threading.current_thread())
        return decode_image(*arguments)

    monkeypatch.setattr("app.decoder.decode_image", watched)
    await post(fake_client, picture())

    assert threading.main_thread() not in threads
    assert threads


async def test_not_ready_before_the_model_is_loaded(settings: Settings, fake_load: Load) -> None:
    transport = httpx.ASGITransport(create_app(settings, fake_load))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        assert_problem(await client.get("/health/ready"), 503, "Not ready")
        assert_problem(await post(client, picture()), 503, "Not ready")
        assert (await client.get("/health/live")).json() == {"status": "live"}


async def test_ready_once_the_model_is_loaded(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health/ready")).json() == {"status": "ready"}


async def test_models_is_the_card_with_engine_and_device(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/models")).json()

    assert answer["name"] == "red-or-blue"
    assert answer["labels"] == ["red", "blue"]
    assert answer["input_shape"] == [227, 227, 3]
    assert answer["engine"] in {"Fake", "LiteRT"}
    assert answer["device"] == "cpu"


async def test_root_leads_to_the_docs(fake_client: httpx.AsyncClient) -> None:
    response = await fake_client.get("/")

    assert response.headers["location"] == "/docs"
    assert "swagger" in (await fake_client.get("/docs")).text


async def test_openapi_lists_every_response(fake_client: httpx.AsyncClient) -> None:
    document = (await fake_client.get("/openapi.json")).json()

    responses = document["paths"]["/predict"]["post"]["responses"]
    assert set(responses) == {"200", "400", "413", "415", "422", "500", "503"}
    for status, response in responses.items():
        media_type = "application/json" if status == "200" else "application/problem+json"
        assert list(response["content"]) == [media_type]
    titles = {
        title
        for status, response in responses.items()
        if status != "200"
        for title in response["content"]["application/problem+json"]["examples"]
    }
    assert {"Broken image", "Image too large", "Missing file", "Overloaded"} <= titles
    assert "503" in document["paths"]["/health/ready"]["get"]["responses"]


async def test_openapi_lets_a_file_be_picked(fake_client: httpx.AsyncClient) -> None:
    document = (await fake_client.get("/openapi.json")).json()

    content = document["paths"]["/predict"]["post"]["requestBody"]["content"]
    assert content["multipart/form-data"]["schema"]["properties"]["file"]["format"] == "binary"
    assert content["image/*"]["schema"]["format"] == "binary"
