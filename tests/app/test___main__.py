from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from app.__main__ import _options, main
from app.server import listening_socket
from tests.app.processes import served, start


def test_missing_model_is_one_sentence_and_exit_code_1(tmp_path: Path) -> None:
    for workers in "12":
        result = start(ALEXNET_MODEL=str(tmp_path), ALEXNET_WORKERS=workers)

        assert result.returncode == 1
        assert result.stderr.startswith("The model card ")
        assert result.stderr.count("\n") == 1


def test_command_bounds_what_clients_send(tiny_model: Path, tmp_path: Path) -> None:
    with served(tiny_model, tmp_path) as service:
        answer = httpx.get(service.url + "/health/live", headers={"X-Long": "a" * 40_000})

    assert answer.status_code == 431


def test_port_in_use_is_one_sentence_and_exit_code_1(tiny_model: Path) -> None:
    with listening_socket("127.0.0.1", 0) as other:
        port = other.getsockname()[1]
        for workers in "12":
            result = start(ALEXNET_MODEL=str(tiny_model), ALEXNET_WORKERS=workers, PORT=str(port))

            assert result.returncode == 1
            assert result.stderr == (
                f"Port {port} of 127.0.0.1 cannot be used (Address already in use); choose another "
                "one with PORT or --port.\n"
            )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_the_model_loads_ends_it(tmp_path: Path, number: signal.Signals) -> None:
    fifo = tmp_path / "model.json"
    os.mkfifo(fifo)
    with (
        subprocess.Popen(
            [sys.executable, "-m", "app", "--port", "0"],
            env={**os.environ, "ALEXNET_MODEL": str(tmp_path)},
        ) as process,
        fifo.open("w"),
    ):  # once it reads the card
        process.send_signal(number)
        assert process.wait(60) == 0


def test_check_loads_the_model_and_ends(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["python -m app", "--check"])
    monkeypatch.setenv("ALEXNET_MODEL", str(tiny_model))
    monkeypatch.setenv("ALEXNET_DEVICE", "cpu")
    monkeypatch.setattr("app.__main__.prepare_signals", lambda: None)

    main()

    assert capsys.readouterr().out == "can be served: red-or-blue 1.2.3 on LiteRT (cpu)\n"


def test_hangup_of_the_service_beside_it_does_not_end_a_check(tmp_path: Path) -> None:
    fifo = tmp_path / "model.json"
    os.mkfifo(fifo)
    with (
        subprocess.Popen(
            [sys.executable, "-m", "app", "--check"],
            env={**os.environ, "ALEXNET_MODEL": str(tmp_path)},
            stderr=subprocess.PIPE,
        ) as process,
        fifo.open("w") as card,
    ):  # once it reads the card
        process.send_signal(signal.SIGHUP)
        card.write("no card")
        card.close()
        assert process.wait(60) == 1
        assert b"model.json is invalid" in process.stderr.read()


def test_figures_of_another_program_are_left_alone(tiny_model: Path, tmp_path: Path) -> None:
    folder = str(tmp_path / "missing")
    with served(tiny_model, tmp_path, PROMETHEUS_MULTIPROC_DIR=folder) as service:
        assert httpx.get(service.url + "/health/live").status_code == 200


def test_port_is_the_environments_unless_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "8123")
    monkeypatch.setattr(sys, "argv", ["python -m app"])
    assert _options().port == 8123

    monkeypatch.setattr(sys, "argv", ["python -m app", "--port", "8124"])
    assert _options().port == 8124


@pytest.mark.parametrize("port", ["abc", "", "-1", "65536", "8_000"])
def test_port_that_is_none_is_told(
    port: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", port)
    monkeypatch.setattr(sys, "argv", ["python -m app"])

    with pytest.raises(SystemExit):
        _options()

    told = f"PORT or --port must be a number from 0 to 65535. Received: {port}\n"
    assert capsys.readouterr().err.endswith(told)


def test_unsafe_setting_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["python -m app"])
    monkeypatch.setenv("ALEXNET_MAX_BATCH", "0")
    monkeypatch.setattr("app.__main__.prepare_signals", lambda: None)

    with pytest.raises(SystemExit, match="ALEXNET_MAX_BATCH cannot be used"):
        main()
