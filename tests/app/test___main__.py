from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from app.__main__ import _options, main
from tests.app.client import free_port
from tests.app.pictures import BLUE, picture


def test_missing_model_is_one_sentence_and_exit_code_1(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "app"],
        env={**os.environ, "ALEXNET_MODEL": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 1
    assert result.stderr.startswith("The model card ")
    assert result.stderr.count("\n") == 1


def test_workers_serve_and_stop_together(tiny_model: Path) -> None:
    port = free_port()
    variables = {"ALEXNET_MODEL": str(tiny_model), "ALEXNET_WORKERS": "2", "ALEXNET_DEVICE": "cpu"}
    server = subprocess.Popen(
        [sys.executable, "-m", "app", "--port", str(port)],
        env={**os.environ, **variables},
        stderr=subprocess.PIPE,
        text=True,
    )
    with server, httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        for _ in range(600):
            assert server.poll() is None
            try:
                client.get("/health/ready").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        answer = client.post("/predict", files={"file": ("upload", picture(BLUE))}).json()
        refused = client.get("/health/live", headers={"X-Long": "a" * 40_000})
        server.terminate()
        log = server.communicate(timeout=60)[1]

    assert answer["label"] == "blue"
    assert refused.status_code == 431
    assert server.returncode == 0
    assert log.count("Started server process") == 2


def test_port_is_the_environments_unless_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "8123")
    monkeypatch.setattr(sys, "argv", ["python -m app"])
    assert _options().port == 8123

    monkeypatch.setattr(sys, "argv", ["python -m app", "--port", "8124"])
    assert _options().port == 8124


def test_unsafe_setting_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["python -m app"])
    monkeypatch.setenv("ALEXNET_MAX_BATCH", "0")

    with pytest.raises(SystemExit, match="ALEXNET_MAX_BATCH cannot be used"):
        main()
