from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import threading
import time
from pathlib import Path
from socket import socket

import httpx
import pytest

from app.errors import StartupError
from app.server import listening_socket
from app.supervisor import Supervisor
from tests.app.pictures import BLUE, picture
from tests.app.processes import served, start
from tests.app.test_metrics import figure

UPLOAD = picture(BLUE)


def workers(log: str) -> list[int]:
    return [int(process) for process in re.findall(r"Started server process \[(\d+)\]", log)]


def predictions(url: str) -> float:
    return figure(httpx.get(url + "/metrics").text, "alexnet_predictions_total")


def test_killed_worker_is_replaced_while_others_serve(tiny_model: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    card = (folder / "model.json").read_bytes()
    with served(folder, tmp_path, ALEXNET_WORKERS="2") as service:
        service.wait_until(lambda: len(workers(service.log)) == 2)
        victim, _ = workers(service.log)
        with httpx.Client() as client:
            for _ in range(5):
                service.version(client, UPLOAD)

        (folder / "model.json").write_bytes(b"")
        os.kill(victim, signal.SIGKILL)
        service.wait_until(lambda: f"worker {victim} ended (SIGKILL)" in service.log)
        service.wait_until(lambda: f"{folder}/model.json is invalid" in service.log)
        with httpx.Client() as client:
            for _ in range(5):
                service.version(client, UPLOAD)
        (folder / "model.json").write_bytes(card)
        service.wait_until(lambda: len(workers(service.log)) == 3)

        service.wait_until(lambda: predictions(service.url) == 10)
        service.process.terminate()
        assert service.process.wait(60) == 0
    assert "Traceback" not in service.log


def test_workers_end_with_their_parent(tiny_model: Path, tmp_path: Path) -> None:
    with served(tiny_model, tmp_path, ALEXNET_WORKERS="2") as service:
        service.wait_until(lambda: len(workers(service.log)) == 2)
        service.process.kill()
        service.process.wait(60)
        while service.log.count("Finished server process") < 2:
            time.sleep(0.1)
    with listening_socket("127.0.0.1", service.port):
        pass


def test_sighup_changes_one_worker_after_the_other(tiny_model: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    card = json.loads((folder / "model.json").read_text())
    seen: list[str] = []
    enough = threading.Event()

    def ask() -> None:
        while not enough.is_set():
            with httpx.Client() as client:
                seen.append(service.version(client, UPLOAD))

    def reloads(outcome: str) -> float:
        text = httpx.get(service.url + "/metrics").text
        return figure(text, "alexnet_model_reloads_total", outcome=outcome)

    with served(folder, tmp_path, ALEXNET_WORKERS="2") as service:
        service.wait_until(lambda: len(workers(service.log)) == 2)
        asking = threading.Thread(target=ask)
        asking.start()
        try:
            (folder / "model.json").write_text(json.dumps(card | {"version": "2.0.0"}))
            service.process.send_signal(signal.SIGHUP)
            service.wait_until(lambda: reloads("loaded") == 2)
            count = len(seen)
            service.wait_until(lambda: len(seen) > count + 1)

            (folder / "model.json").write_text("{}")
            service.process.send_signal(signal.SIGHUP)
            service.wait_until(lambda: "no other worker tries it" in service.log)
            assert reloads("refused") == 1
        finally:
            enough.set()
            asking.join()
        assert set(seen[count + 1 :]) == {"2.0.0"}
        assert set(seen) <= {"1.2.3", "2.0.0"}
        assert len(workers(service.log)) == 2, "none was started anew"


def test_corrupt_model_is_one_sentence_whatever_the_workers(
    tiny_model: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    (folder / "model.tflite").write_bytes(b"another one")

    for number in "12":
        result = start(ALEXNET_MODEL=str(folder), ALEXNET_WORKERS=number)

        assert result.returncode == 1
        assert result.stderr.startswith(f"The model file {folder}/model.tflite is not the one on")
        assert result.stderr.count("\n") == 1


@pytest.mark.anyio
async def test_worker_that_cannot_be_started_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    refusals = [OSError(errno.EAGAIN, "Resource temporarily unavailable")] * 2

    def start(*_: object) -> str:
        if refusals:
            raise refusals.pop()
        return "a worker"

    monkeypatch.setattr("app.supervisor.Worker", start)
    monkeypatch.setattr("app.supervisor._PAUSE_SECONDS", 0)
    with socket() as listener:
        supervisor = Supervisor(print, listener, workers=2, shutdown_seconds=0)

        assert await supervisor._replacement(0) == "a worker"

    told = "No process can be started (Resource temporarily unavailable); it is tried again."
    assert [record.message for record in caplog.records] == [told, told]


def test_too_many_workers_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr("app.supervisor.Worker", refuse)
    with socket() as listener, pytest.raises(StartupError, match="set ALEXNET_WORKERS to fewer"):
        Supervisor(print, listener, workers=2, shutdown_seconds=0).run()
