"""The public client of the protocol, against the service as it is run."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from tritonclient.http import (
    InferenceServerClient,
    InferInput,
    InferRequestedOutput,
    InferResult,
)
from tritonclient.utils import InferenceServerException

from app.images import decode_image
from tests.app.pictures import BLUE, RED, picture

MODEL = "red-or-blue"
FILES = [picture(RED), picture(BLUE, file_format="PNG"), picture((90, 20, 70), size=(500, 375))]
EXPECTED_LABELS = [b"red", b"blue", b"red"]


@pytest.fixture(scope="module")
def address(tiny_model: Path) -> Iterator[str]:
    """Run the service on a free port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    variables = {
        "ALEXNET_MODEL": str(tiny_model),
        "ALEXNET_DEVICE": "cpu",
        "ALEXNET_MAX_QUEUE": "16",
        "ALEXNET_MAX_UPLOAD_BYTES": "5000000",
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "app", "--port", str(port)], env={**os.environ, **variables}
    )
    for _ in range(600):
        assert server.poll() is None
        try:
            httpx.get(f"http://127.0.0.1:{port}/health/ready").raise_for_status()
            break
        except httpx.HTTPError:
            time.sleep(0.1)
    yield f"127.0.0.1:{port}"
    server.terminate()
    server.wait()


@pytest.fixture
def client(address: str) -> Iterator[InferenceServerClient]:
    with InferenceServerClient(address) as client:
        yield client


def images(files: list[bytes], *, binary: bool) -> InferInput:
    elements = files if binary else [base64.b64encode(file) for file in files]
    tensor = InferInput("image", [len(files)], "BYTES")
    return tensor.set_data_from_numpy(np.array(elements, object), binary_data=binary)


def pixels(files: list[bytes], *, binary: bool) -> InferInput:
    values = np.stack([decode_image(file, (227, 227)).pixels for file in files])
    tensor = InferInput("pixels", list(values.shape), "UINT8")
    return tensor.set_data_from_numpy(values, binary_data=binary)


every_input = pytest.mark.parametrize("make_input", [images, pixels])
either_form = pytest.mark.parametrize("binary", [False, True], ids=["JSON", "binary"])


def expected(address: str) -> dict[str, NDArray]:
    """Return what `/predict` says of the files, as tensors."""
    answers = [
        httpx.post(f"http://{address}/predict", files={"file": file}).json() for file in FILES
    ]
    scores = [{each["label"]: each["score"] for each in one["predictions"]} for one in answers]
    return {
        "probabilities": np.array([[each["red"], each["blue"]] for each in scores], np.float32),
        "labels": np.array([one["label"].encode() for one in answers], object),
        "typicality": np.array([one["typicality"] for one in answers], np.float32),
        "in_domain": np.array([one["in_domain"] for one in answers], np.bool_),
    }


def assert_tensors(result: InferResult, tensors: dict[str, NDArray]) -> None:
    for name, tensor in tensors.items():
        received = result.as_numpy(name)
        assert received.shape == tensor.shape
        # In JSON, strings come as text, and in binary as bytes.
        as_bytes = [each.encode() if isinstance(each, str) else each for each in received.flat]
        assert as_bytes == list(tensor.flat)


def test_health(client: InferenceServerClient) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(MODEL)
    assert client.is_model_ready(MODEL, "1.2.3")
    assert not client.is_model_ready(MODEL, "4")
    assert not client.is_model_ready("cats")


def test_metadata(client: InferenceServerClient) -> None:
    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    metadata = client.get_model_metadata(MODEL)
    assert metadata == client.get_model_metadata(MODEL, "1.2.3")
    assert metadata["inputs"][0] == {
        "name": "pixels",
        "datatype": "UINT8",
        "shape": [-1, 227, 227, 3],
    }


@either_form
@every_input
def test_answers_are_those_of_predict_to_the_last_digit(
    client: InferenceServerClient, address: str, make_input, binary: bool
) -> None:
    tensors = expected(address)
    outputs = [InferRequestedOutput(name, binary_data=binary) for name in tensors]

    result = client.infer(
        MODEL, [make_input(FILES, binary=binary)], outputs=outputs, request_id="42"
    )

    assert_tensors(result, tensors)
    assert list(tensors["labels"]) == EXPECTED_LABELS
    assert result.get_response()["id"] == "42"


@every_input
def test_outputs_come_in_binary_where_none_are_named(
    client: InferenceServerClient, address: str, make_input
) -> None:
    result = client.infer(MODEL, [make_input(FILES, binary=True)], model_version="1.2.3")

    assert_tensors(result, expected(address))
    assert all(
        "binary_data_size" in each["parameters"] for each in result.get_response()["outputs"]
    )


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
@either_form
@every_input
def test_request_may_be_compressed(
    client: InferenceServerClient, make_input, binary: bool, algorithm: str
) -> None:
    result = client.infer(
        MODEL, [make_input(FILES, binary=binary)], request_compression_algorithm=algorithm
    )

    assert list(result.as_numpy("labels")) == EXPECTED_LABELS


def test_one_output_alone(client: InferenceServerClient) -> None:
    result = client.infer(
        MODEL, [images(FILES, binary=True)], outputs=[InferRequestedOutput("labels")]
    )

    assert [each["name"] for each in result.get_response()["outputs"]] == ["labels"]


@pytest.mark.parametrize(
    ("tensor", "output", "status", "says"),
    [
        (images([b"a cat, in words"], binary=True), "labels", "415", "Picture 0 .* not an image"),
        (images([FILES[2][:-300]], binary=False), "labels", "400", "truncated or damaged"),
        (images([FILES[0]] * 17, binary=True), "labels", "413", "17 pictures; send at most 16"),
        (images(FILES, binary=True), "label", "400", "ask for some of probabilities, labels"),
        (InferInput("pixels", [1, 8, 8, 3], "UINT8"), "labels", "400", r"\[-1, 227, 227, 3\]"),
        (InferInput("image", [1], "BYTES"), "labels", "400", "no array of 1 elements"),
    ],
    ids=["text", "truncated", "too many", "output", "shape", "no data"],
)
def test_errors_are_sentences(
    client: InferenceServerClient, tensor: InferInput, output: str, status: str, says: str
) -> None:
    with pytest.raises(InferenceServerException, match=says) as error:
        client.infer(MODEL, [tensor], outputs=[InferRequestedOutput(output)])

    assert error.value.status() == status


def test_other_models_are_unknown(client: InferenceServerClient) -> None:
    with pytest.raises(InferenceServerException, match="no model 'cats'; ask for red-or-blue"):
        client.infer("cats", [images(FILES, binary=True)])


def test_body_beyond_the_limit_is_refused(client: InferenceServerClient) -> None:
    tensor = images([bytes(5_000_000)], binary=True)

    with pytest.raises(InferenceServerException, match="at most 5000000 bytes a request"):
        client.infer(MODEL, [tensor], request_compression_algorithm="gzip")
