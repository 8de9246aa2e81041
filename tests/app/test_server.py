from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import threading
from pathlib import Path

import httpx
import pytest
import uvicorn

from app.errors import StartupError
from app.main import create_app
from app.server import Server, listening_socket
from app.settings import Settings
from tests.app.client import assert_problem
from tests.app.conftest import Load
from tests.app.pictures import BLUE, picture
from tests.app.processes import Served, served
from tests.app.test_metrics import figure

UPLOAD = picture(BLUE)
HEAD = (
    b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"
    b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(UPLOAD)
)


def accepted_upload(service: Served) -> socket.socket:
    """Send the head of a request, and return its connection once the service asks for the rest."""
    connection = socket.create_connection(("127.0.0.1", service.port), timeout=60)
    connection.sendall(HEAD)
    assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
    return connection


def answer(connection: socket.socket) -> tuple[bytes, bytes]:
    """Return the head and the body of the answer, once the service has closed the connection."""
    chunks = []
    while chunk := connection.recv(65_536):
        chunks.append(chunk)
    head, _, body = b"".join(chunks).partition(b"\r\n\r\n")
    return head, body


def test_sigterm_finishes_what_was_accepted_and_refuses_the_rest(
    tiny_model: Path, tmp_path: Path
) -> None:
    with served(tiny_model, tmp_path) as service, accepted_upload(service) as connection:
        service.process.terminate()
        service.wait_until(lambda: not service.ready())

        refused = httpx.post(service.url + "/predict", files={"file": UPLOAD})
        assert_problem(refused, 503, "Not ready")

        connection.sendall(UPLOAD)
        head, body = answer(connection)
        assert head.startswith(b"HTTP/1.1 200 ")
        assert b"connection: close" in head
        assert json.loads(body)["label"] == "blue"
        assert service.process.wait(60) == 0
    assert "Traceback" not in service.log


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupt_at_the_terminal_ends_it_alike(
    tiny_model: Path, tmp_path: Path, workers: str
) -> None:
    with served(tiny_model, tmp_path, ALEXNET_WORKERS=workers) as service:
        started = "Application startup complete"
        service.wait_until(lambda: service.log.count(started) == int(workers))
        os.killpg(service.process.pid, signal.SIGINT)
        assert service.process.wait(60) == 0
    assert "Traceback" not in service.log


def test_sigterm_refuses_what_is_not_finished_in_time(tiny_model: Path, tmp_path: Path) -> None:
    with (
        served(tiny_model, tmp_path, ALEXNET_SHUTDOWN_SECONDS="0") as service,
        accepted_upload(service) as connection,
    ):
        service.process.terminate()
        head, _ = answer(connection)

        assert head.startswith(b"HTTP/1.1 503 ")
        assert service.process.wait(60) == 0
    assert "Traceback" not in service.log


def test_sighup_changes_the_model_and_refuses_a_bad_one(tiny_model: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    card = json.loads((folder / "model.json").read_text())

    def reloads(outcome: str) -> float:
        text = httpx.get(service.url + "/metrics").text
        return figure(text, "alexnet_model_reloads_total", outcome=outcome)

    with served(folder, tmp_path) as service, httpx.Client() as client:
        assert service.version(client, UPLOAD) == "1.2.3"

        (folder / "model.json").write_text(json.dumps(card | {"version": "2.0.0"}))
        service.process.send_signal(signal.SIGHUP)
        service.wait_until(lambda: service.version(client, UPLOAD) == "2.0.0")
        assert reloads("loaded") == 1

        with (folder / "model.tflite").open("r+b") as file:
            file.truncate(100)  # of the very file that is served
        assert service.version(client, UPLOAD) == "2.0.0"
        service.process.send_signal(signal.SIGHUP)
        service.wait_until(lambda: reloads("refused") == 1)
        assert service.version(client, UPLOAD) == "2.0.0"
    assert "model.tflite is not the one on the model card" in service.log
    assert "red-or-blue 2.0.0 on LiteRT (cpu) goes on" in service.log
    assert service.process.returncode == 0


def test_application_that_cannot_start_is_one_sentence(
    settings: Settings,
    fake_load: Load,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    app = create_app(settings, fake_load)
    server = Server(uvicorn.Config(app, log_config=None), app, lambda _: None)

    with (
        listening_socket("127.0.0.1", 0) as listener,
        pytest.raises(StartupError, match="gives no 3 threads; set ALEXNET_THREADS lower"),
    ):
        server.run([listener])

    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    ("host", "port"), [("127.0.0.1", 99_999), ("203.0.113.1", 0), ("::ffff:203.0.113.1", 0)]
)
def test_address_that_cannot_be_used_is_one_sentence(host: str, port: int) -> None:
    with pytest.raises(StartupError, match=rf"Port {port} of {host} cannot be used \(.+\); choose"):
        listening_socket(host, port)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_port_0_is_a_free_one(host: str) -> None:
    with listening_socket(host, 0) as listener:
        assert listener.getsockname()[1] > 0
