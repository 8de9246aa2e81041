"""Bodies of requests, and the headers that say what they are."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple

BOUNDARY = "----frontier"
FORM_TYPE = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
LENGTH_HEADER = "Inference-Header-Content-Length"

_CHUNK_BYTES = 65_536


class Body(NamedTuple):
    """What is posted."""

    content: bytes
    headers: Mapping[str, str]

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the content in parts, to be sent without saying how long it is."""
        for start in range(0, len(self.content), _CHUNK_BYTES):
            yield self.content[start : start + _CHUNK_BYTES]


def raw(picture: bytes, content_type: str = "image/jpeg") -> Body:
    """Return a picture's file as it is."""
    return Body(picture, {"Content-Type": content_type})


def form(field: str, pictures: Sequence[bytes]) -> Body:
    """Return a multipart form with a field for each picture."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{number}"'
        "\r\n\r\n".encode()
        + picture
        + b"\r\n"
        for number, picture in enumerate(pictures)
    ]
    return Body(b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()]), FORM_TYPE)


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
    parameters = {"binary_data_size": len(data)}
    tensor = {"name": "image", "shape": [len(pictures)], "datatype": "BYTES"}
    head = json.dumps({"inputs": [{**tensor, "parameters": parameters}]}).encode()
    headers = {"Content-Type": "application/octet-stream", LENGTH_HEADER: str(len(head))}
    return Body(head + data, headers)
