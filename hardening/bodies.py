"""Bodies of requests, well-formed."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

BOUNDARY = "----frontier"


class Body(NamedTuple):
    """What is posted, and the headers that say what it is."""

    content: bytes
    headers: dict[str, str]


def raw(picture: bytes) -> Body:
    """Return a picture's file as it is."""
    return Body(picture, {"Content-Type": "image/jpeg"})


def form(field: str, pictures: Sequence[bytes]) -> Body:
    """Return a multipart form with a field for each picture."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{number}.jpg"'
        "\r\nContent-Type: image/jpeg\r\n\r\n".encode()
        + picture
        + b"\r\n"
        for number, picture in enumerate(pictures)
    ]
    end = f"--{BOUNDARY}--\r\n".encode()
    return Body(
        b"".join([*parts, end]), {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    )


def image_input(pictures: Sequence[bytes]) -> dict[str, Any]:
    """Return the tensor of an inference request in JSON, its elements in base64."""
    data = [base64.b64encode(picture).decode() for picture in pictures]
    return {"name": "image", "shape": [len(pictures)], "datatype": "BYTES", "data": data}


def inference(pictures: Sequence[bytes]) -> Body:
    """Return an inference request in JSON."""
    content = json.dumps({"inputs": [image_input(pictures)]}).encode()
    return Body(content, {"Content-Type": "application/json"})


def binary_inference(pictures: Sequence[bytes]) -> Body:
    """Return an inference request with a binary tensor."""
    data = b"".join(len(each).to_bytes(4, "little") + each for each in pictures)
    tensor = {"name": "image", "shape": [len(pictures)], "datatype": "BYTES"}
    tensor["parameters"] = {"binary_data_size": len(data)}
    head = json.dumps({"inputs": [tensor]}).encode()
    headers = {
        "Content-Type": "application/octet-stream",
        "Inference-Header-Content-Length": str(len(head)),
    }
    return Body(head + data, headers)
