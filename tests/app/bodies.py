"""Requests to every path that takes pictures."""

from __future__ import annotations

import json
from typing import NamedTuple

import httpx

from tests.app.v2.requests import INFER, binary_body, image_request


class Post(NamedTuple):
    """What is posted to a path."""

    path: str
    headers: dict[str, str]
    body: bytes

    def head(self, *lines: str) -> bytes:
        """Return the request's line and headers, with others among them."""
        headers = [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join(
            [f"POST {self.path} HTTP/1.1", "Host: here", *headers, *lines, "", ""]
        ).encode()

    @property
    def whole(self) -> bytes:
        return self.head(f"Content-Length: {len(self.body)}") + self.body


def raw(path: str, file: bytes) -> Post:
    return Post(path, {"Content-Type": "image/jpeg"}, file)


def form(path: str, field: str, *files: bytes) -> Post:
    request = httpx.Request("POST", "/", files=[(field, ("a.jpg", file)) for file in files])
    return Post(path, {"Content-Type": request.headers["content-type"]}, request.read())


def inference(file: bytes) -> Post:
    body = json.dumps(image_request(file)).encode()
    return Post(INFER, {"Content-Type": "application/json"}, body)


def binary_inference(file: bytes) -> Post:
    element = len(file).to_bytes(4, "little") + file
    body, header_length = binary_body("image", [1], "BYTES", element)
    headers = {
        "Content-Type": "application/octet-stream",
        "Inference-Header-Content-Length": str(header_length),
    }
    return Post(INFER, headers, body)


def posts(file: bytes) -> dict[str, Post]:
    """Return all ways to send one picture, by their names."""
    return {
        "predict": raw("/predict", file),
        "predict, form": form("/predict", "file", file),
        "batch": form("/predict/batch", "files", file),
        "explain": raw("/explain", file),
        "explain, form": form("/explain", "file", file),
        "infer": inference(file),
        "infer, binary": binary_inference(file),
    }


WAYS = tuple(posts(b""))
