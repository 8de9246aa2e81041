"""What clients write never reaches a log, and comes back to them as JSON alone."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.app.client import free_port
from tests.app.pictures import picture

pytestmark = pytest.mark.anyio

NAMES = [
    b"evil\x1b[31mred.jpg",
    b"evil\nINFO: forged.jpg",
    b"evil%0D%0AINFO: forged.jpg",
    b"evil\xff\xfe\x80.jpg",
    b"evil\xc2\x9b31m.jpg",
    b"evil\x00\x07\x7f.jpg",
    b"<script>alert('evil')</script>.jpg",
    "evil\u202egpj.exe".encode(),
]
FILES = [picture(), b"evil\x1b[31m\n", picture(size=(300, 300))[:-300] + b"evil\x1b[31m\n", b""]
FIELDS = {"/predict": b"file", "/predict/batch": b"files", "/explain": b"file"}
TARGETS = [
    b"/evil%0A%1B[31m",
    b"/evil?%0AINFO:%1B[31m",
    b"/evil\x1b[31m",
    b"/?evil=\x1b",
    b"/evil\xff",
]
CONTROLS = re.compile(rb"[\x00-\x1f]")


def form(name: bytes, file: bytes, field: bytes) -> bytes:
    disposition = b'Content-Disposition: form-data; name="' + field + b'"; filename="' + name + b'"'
    return b"--b\r\n" + disposition + b"\r\n\r\n" + file + b"\r\n--b--\r\n"


def assert_json_alone(response: httpx.Response) -> None:
    media_type = response.headers["content-type"]
    assert media_type in {"application/json", "application/problem+json"}
    assert response.headers["x-content-type-options"] == "nosniff"
    assert not CONTROLS.search(response.content)
    response.content.decode("utf-8")
    response.json()
    assert "Traceback" not in response.text
    assert '.py"' not in response.text


@pytest.mark.parametrize("name", NAMES)
async def test_names_and_bytes_of_files(
    fake_client: httpx.AsyncClient,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    name: bytes,
) -> None:
    headers = {"content-type": "multipart/form-data; boundary=b"}
    for path, field in FIELDS.items():
        for file in FILES:
            body = form(name, file, field)
            assert_json_alone(await fake_client.post(path, content=body, headers=headers))

    assert "evil" not in caplog.text
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/evil%1B%5B31m%0Aforged", {}),
        ("/v2/models/evil%1B%5B31m%0Aforged", {}),
        ("/v2/models/red-or-blue/versions/evil%1B%5B31m", {}),
        ("/predict", {"content-type": b"evil/\x1b[31m\xff"}),
        ("/explain", {"accept": b"evil/\x1b[31m\xff", "content-type": "image/png"}),
        ("/predict", {"content-type": b"multipart/form-data; boundary=\xff\x1b"}),
    ],
)
async def test_paths_and_headers(
    fake_client: httpx.AsyncClient,
    caplog: pytest.LogCaptureFixture,
    path: str,
    headers: dict[str, str | bytes],
) -> None:
    response = await fake_client.post(path, content=b"evil\x1b", headers=headers)

    assert 400 <= response.status_code < 500
    assert_json_alone(response)
    assert "evil" not in caplog.text


def exchange(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(request)
        return connection.recv(65_536)


def test_log_of_requests(tiny_model: Path) -> None:
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "app", "--port", str(port), "--access-log"],
        env={**os.environ, "ALEXNET_MODEL": str(tiny_model), "ALEXNET_DEVICE": "cpu"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    with server:
        until_ready(port, server)
        for target in TARGETS:
            answer = exchange(port, b"GET " + target + b" HTTP/1.1\r\nHost: evil\r\n\r\n")
            assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400"))
            assert answer.startswith(b"HTTP/1.1 400") or b"\r\nserver:" not in answer
        for name in NAMES:
            body = form(name, b"evil\x1b[31m\n", b"file")
            head = b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n"
            exchange(
                port, b"POST /predict HTTP/1.1\r\nHost: x\r\n" + head % len(body) + b"\r\n" + body
            )
        server.terminate()
        log = server.communicate(timeout=60)[0]

    assert b"POST /predict 4" in log
    assert not re.search(rb"[^\x20-\x7e\n]", log)
    begins = re.compile(rb"INFO:|WARNING:|[-0-9]+T[:.0-9]+Z ")  # LiteRT's lines, and the service's
    assert all(begins.match(line) for line in log.splitlines())
    assert log.count(b"evil") == 2, "both lines of requests that are well-formed"


def until_ready(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert server.poll() is None
        try:
            httpx.get(f"http://127.0.0.1:{port}/health/ready").raise_for_status()
            return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise AssertionError("the service is not ready")
