"""What the tests of the service ask and check."""

from __future__ import annotations

import socket
import time
from typing import Any

import httpx
from fastapi import FastAPI


async def post(
    client: httpx.AsyncClient,
    data: bytes,
    path: str = "/predict",
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    return await client.post(path, files={"file": ("upload", data)}, headers=headers)


async def post_batch(
    client: httpx.AsyncClient, *uploads: bytes, field: str = "files"
) -> httpx.Response:
    files = [(field, (f"{number}.jpg", data)) for number, data in enumerate(uploads)]
    return await client.post("/predict/batch", files=files)


async def leave_while_waiting(
    app: FastAPI, data: bytes, path: str = "/predict", content_type: str = "image/jpeg"
) -> None:
    """Send a picture as a client that disconnects before the engine has answered."""
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": data}]

    async def receive() -> dict[str, Any]:
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def send(_: object) -> None:
        pass

    headers = [(b"content-type", content_type.encode())]
    await app(posted_picture() | {"path": path, "headers": headers}, receive, send)


def assert_problem(response: httpx.Response, status: int, title: str) -> None:
    assert response.headers["content-type"] == "application/problem+json"
    assert response.status_code == status
    assert_problem_object(response.json(), status, title)


def assert_problem_object(problem: dict[str, Any], status: int, title: str) -> None:
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


def until_ready(url: str) -> None:
    """Wait until the service there can answer."""
    for _ in range(600):
        try:
            httpx.get(url + "/health/ready").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the service does not become ready")
