from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.errors import UploadTooLargeError
from app.images import DecodedImage
from app.v2.body import Body
from app.v2.errors import InvalidInferenceError
from app.v2.pictures import PictureRequest, read_pictures
from tests.app.cards import card_of
from tests.app.v2.requests import binary_body, image_input, image_request, pixels_request, sent

pytestmark = pytest.mark.anyio

PIXELS = np.random.default_rng(0).integers(0, 256, (2, 227, 227, 3), dtype=np.uint8)
FILES = [b"a cat", b"\xff\xd8\xff"]


async def read(body: bytes | dict[str, Any], header_length: int | None = None) -> PictureRequest:
    """Read a request for a model that takes up to 3 pictures in 2 MiB."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    chunks = [text[start : start + 1000] for start in range(0, len(text), 1000)] or [b""]
    return await read_pictures(Body(sent(*chunks), 2**21), header_length, card_of(Path()), 3)


def assert_pixels(request: PictureRequest) -> None:
    images = [each for each in request.pictures if isinstance(each, DecodedImage)]
    assert np.array_equal(np.stack([image.pixels for image in images]), PIXELS)


@pytest.mark.parametrize("data", [PIXELS.ravel().tolist(), PIXELS.tolist()], ids=["flat", "nested"])
async def test_pixels_in_json(data: list) -> None:
    assert_pixels(await read(pixels_request(data, count=2)))


@pytest.mark.parametrize("count", [0, 2])
async def test_long_json_is_parsed_by_another_thread(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    threads = []

    def watched(*_: object) -> bytes:
        threads.append(threading.current_thread())
        return PIXELS.tobytes()

    monkeypatch.setattr("app.v2.numerals.uint8_values", watched)

    await read(pixels_request(PIXELS[:count].tolist(), count=2))

    assert [thread is threading.current_thread() for thread in threads] == [count == 0]


async def test_pixels_in_binary() -> None:
    assert_pixels(await read(*binary_body("pixels", PIXELS.shape, "UINT8", PIXELS.tobytes())))


async def test_images_in_json() -> None:
    assert (await read(image_request(*FILES))).pictures == FILES


async def test_images_in_binary() -> None:
    data = b"".join(len(file).to_bytes(4, "little") + file for file in FILES)

    assert (await read(*binary_body("image", (2,), "BYTES", data))).pictures == FILES


async def test_header_may_be_the_whole_body() -> None:
    text = json.dumps(image_request(*FILES)).encode()

    assert (await read(text, len(text))).pictures == FILES


async def test_parameters_of_other_servers_are_let_pass() -> None:
    request = image_request(*FILES, parameters={"priority": 1, "sequence_id": "a"})
    request["inputs"][0]["parameters"] = {"content_type": "base64"}

    assert (await read(request)).pictures == FILES


async def test_header_beyond_the_body_is_refused() -> None:
    with pytest.raises(InvalidInferenceError, match="ends 998 bytes before"):
        await read(b"{}", 1000)


async def test_body_beyond_the_tensor_is_refused() -> None:
    body, header_length = binary_body("image", (1,), "BYTES", b"\0\0\0\0")

    with pytest.raises(InvalidInferenceError, match="goes on after the tensor"):
        await read(body + b"x", header_length)


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"\xff\xfe", b"{", b"[" * 1000, b'{"a":' * 9000, b'{"id":"\\ud800"}'],
    ids=range(8),
)
async def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInferenceError, match="The request is invalid at the JSON object: "):
        await read(body)


async def test_values_that_no_request_needs_are_not_parsed() -> None:
    with pytest.raises(InvalidInferenceError, match="more values than"):
        await read(image_request(*FILES, extra=[[]] * 600))


def changed(**changes: Any) -> dict[str, Any]:
    return {"inputs": [{**image_input(b""), **changes}]}


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"inputs": []}, "at inputs: "),
        ({"inputs": [image_input(b""), image_input(b"")]}, "at inputs: "),
        ({"inputs": "image"}, "at inputs: "),
        ({"inputs": [{}]}, "at inputs.0.name: "),
        (changed(name="input"), "send one of pixels, image"),
        (changed(name=1), "at inputs.0.name: "),
        (changed(shape=[0]), r"send BYTES \[-1\]"),
        (changed(shape=[]), r"send BYTES \[-1\]"),
        (changed(shape=[1, 1]), r"send BYTES \[-1\]"),
        (changed(shape=[-1]), "at inputs.0.shape.0: "),
        (changed(shape=[2**64]), "at inputs.0.shape.0: "),
        (changed(shape=[True]), "at inputs.0.shape.0: "),
        (changed(shape=[1.0]), "at inputs.0.shape.0: "),
        (changed(shape=[1] * 9), "at inputs.0.shape: "),
        (changed(shape=[2]), "no array of 2 elements"),
        (changed(datatype="FP32"), r"send BYTES \[-1\]"),
        (changed(data=None), "no array of 1 elements"),
        (changed(data=[1]), "no array of 1 elements"),
        (changed(data="QQ=="), "at inputs.0.data: "),
        (changed(data=["no base64!"]), "is not base64"),
        (changed(parameters={"binary_data_size": 1}), "both data and binary_data_size"),
        (changed(parameters={"binary_data_size": -1}), "binary_data_size: "),
        (changed(parameters={"binary_data_size": "1"}), "binary_data_size: "),
        (changed(data=None, parameters={"binary_data_size": 9}), "ends 9 bytes before"),
        (changed(parameters=[]), "at inputs.0.parameters: "),
        ({**image_request(b""), "id": 1}, "at id: "),
        ({**image_request(b""), "parameters": {"binary_data_output": 1}}, "binary_data_output: "),
        (pixels_request(None), "neither numbers as data nor binary_data_size"),
        (pixels_request(["1"]), "neither numbers as data nor binary_data_size"),
        (pixels_request([]), "holds 0 numbers"),
        (pixels_request([1, 2, 3]), "holds 3 numbers"),
        (pixels_request([256]), "whole numbers from 0 to 255"),
        (pixels_request([0.5]), "whole numbers from 0 to 255"),
    ],
    ids=range(33),
)
async def test_request_unlike_the_metadata_is_refused(request_: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInferenceError, match=says) as refusal:
        await read(request_)

    assert str(refusal.value).endswith(".")


async def test_pixels_of_another_size_are_refused() -> None:
    body, header_length = binary_body("pixels", (1, 224, 224, 3), "UINT8", bytes(150_528))

    with pytest.raises(InvalidInferenceError, match=r"send UINT8 \[-1, 227, 227, 3\]"):
        await read(body, header_length)


async def test_more_pictures_than_may_be_sent_are_refused_before_their_tensor_is_read() -> None:
    body, header_length = binary_body("pixels", (4, 227, 227, 3), "UINT8", bytes(4 * 154_587))

    with pytest.raises(UploadTooLargeError, match="has 4 pictures; send at most 3 at a time"):
        await read(body[:header_length], header_length)
