from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from benchmarks.server import serving

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
    assert usage.largest_mb > 1
    assert not process.is_running()


def test_children_end_with_their_server(tmp_path: Path) -> None:
    with serving(SERVE_WITH_A_CHILD, "/", log=tmp_path / "log") as server:
        (child,) = psutil.Process(server.pid).children()

    assert not child.is_running()


def test_server_that_ends_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match="ended with 3; see"),
        serving([sys.executable, "-c", "raise SystemExit(3)"], "/", log=tmp_path / "log"),
    ):
        pass
