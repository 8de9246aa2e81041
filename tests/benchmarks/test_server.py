from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from benchmarks.server import of_each, serving

SERVE = [sys.executable, "-m", "http.server", "{port}", "--bind", "127.0.0.1"]
FORK = "import subprocess, sys; subprocess.Popen(['sleep', '600']); exec(sys.argv[1])"
SERVE_WITH_A_CHILD = [
    sys.executable,
    "-c",
    FORK,
    "from http.server import SimpleHTTPRequestHandler as Handler, test;"
    "test(Handler, port={port}, bind='127.0.0.1')",
]


def test_server_is_ready_measured_and_gone(tmp_path: Path) -> None:
    with serving(SERVE, "/", log=tmp_path / "log") as server:
        usage = server.usage()
        process = psutil.Process(server.pid)

    assert server.ready_seconds > 0
    assert usage.cpu_seconds > 0
    assert usage.memory_mb > 1
    assert not process.is_running()


def test_children_end_with_their_server(tmp_path: Path) -> None:
    with serving(SERVE_WITH_A_CHILD, "/", log=tmp_path / "log") as server:
        (child,) = psutil.Process(server.pid).children()

    assert not child.is_running()


def test_children_end_with_a_server_that_ended_first(tmp_path: Path) -> None:
    with serving(SERVE_WITH_A_CHILD, "/", log=tmp_path / "log") as server:
        (child,) = psutil.Process(server.pid).children()
        psutil.Process(server.pid).kill()
        psutil.wait_procs([psutil.Process(server.pid)], timeout=10)

    psutil.wait_procs([child], timeout=10)
    assert not child.is_running()


def test_settings_of_the_shell_do_not_reach_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALEXNET_API_KEYS", "secret")
    variables = {"ALEXNET_THREADS": "1"}

    with serving(SERVE, "/", log=tmp_path / "log", variables=variables) as server:
        environment = psutil.Process(server.pid).environ()

    assert "ALEXNET_API_KEYS" not in environment
    assert environment["ALEXNET_THREADS"] == "1"
    assert environment["PATH"]


def test_what_has_ended_is_not_asked() -> None:
    gone = psutil.Popen([sys.executable, "-c", ""])
    gone.wait()

    assert of_each([gone, psutil.Process()], lambda process: process.num_fds()) == [
        pytest.approx(psutil.Process().num_fds(), abs=5)
    ]


def test_server_that_ends_is_told(tmp_path: Path) -> None:
    program = "import sys; print('no model', flush=True); sys.exit(3)"
    with (
        pytest.raises(RuntimeError, match="ended with 3: no model"),
        serving([sys.executable, "-c", program], "/", log=tmp_path / "log"),
    ):
        pass
