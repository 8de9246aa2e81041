"""What the tests of the service ask and check."""

from __future__ import annotations

import socket
from typing import Any

import httpx


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


def posted_picture() -> dict[str, Any]:
    """Return the ASGI scope of a picture that is posted as the body."""
    return {
        "type": "http",
        "method": "POST",
        "path": "/predict",
        "query_string": b"",
        "headers": [(b"content-type", b"image/jpeg")],
    }


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
