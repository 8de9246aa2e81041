"""Inference requests as plain JSON and bytes, for what the public client would never send."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
from starlette.requests import Request

from app.overload import HOLD

INFER = "/v2/models/red-or-blue/infer"


def image_input(*files: bytes) -> dict[str, Any]:
    """Return the input of encoded images, in JSON."""
    data = [base64.b64encode(file).decode() for file in files]
    return {"name": "image", "shape": [len(files)], "datatype": "BYTES", "data": data}


def image_request(*files: bytes, **others: Any) -> dict[str, Any]:
    return {"inputs": [image_input(*files)], **others}


def pixels_request(data: Any, count: int = 1) -> dict[str, Any]:
    shape = [count, 227, 227, 3]
    return {"inputs": [{"name": "pixels", "shape": shape, "datatype": "UINT8", "data": data}]}


def binary_body(name: str, shape: Sequence[int], datatype: str, data: bytes) -> tuple[bytes, int]:
    """Return the body of a request with a binary tensor, and the length of its JSON object."""
    tensor = {"name": name, "shape": list(shape), "datatype": datatype}
    header = json.dumps(
        {"inputs": [{**tensor, "parameters": {"binary_data_size": len(data)}}]}
    ).encode()
    return header + data, len(header)


def sent(*chunks: bytes, **headers: str) -> Request:
    """Return a request that sends these chunks, and fails where more is asked for."""
    messages: AsyncIterator[dict[str, Any]] = _messages(chunks)
    scope = {
        "type": "http",
        HOLD: lambda _: None,
        "headers": [
            (name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()
        ],
    }
    return Request(scope, messages.__anext__)


async def _messages(chunks: tuple[bytes, ...]) -> AsyncIterator[dict[str, Any]]:
    for number, chunk in enumerate(chunks, start=1):
        yield {"type": "http.request", "body": chunk, "more_body": number < len(chunks)}
    raise AssertionError("more was read than the body has")


def outputs(response: httpx.Response) -> dict[str, list[Any]]:
    """Return the values of a response's outputs, in JSON."""
    assert response.status_code == 200, response.text
    return {each["name"]: each["data"] for each in response.json()["outputs"]}


def assert_error(response: httpx.Response, status: int, says: str) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert set(response.json()) == {"error"}
    assert says in response.json()["error"]
    assert response.json()["error"].endswith(".")
