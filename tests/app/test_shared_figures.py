from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from app.shared_figures import FOLDER_VARIABLE
from tests.app.client import free_port
from tests.app.figures import figure
from tests.app.pictures import BLUE, picture


@contextmanager
def two_workers(model: Path, temporary: Path) -> Iterator[tuple[str, int]]:
    """Serve with two processes; yield the address, and the number of the one that watches them."""
    port = free_port()
    variables = {"ALEXNET_MODEL": str(model), "ALEXNET_WORKERS": "2", "ALEXNET_DEVICE": "cpu"}
    with subprocess.Popen(
        [sys.executable, "-m", "app", "--port", str(port)],
        env={**os.environ, **variables, "TMPDIR": str(temporary)},
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            yield f"http://127.0.0.1:{port}", server.pid
        finally:
            server.terminate()


def until(url: str, name: str, value: float) -> None:
    """Ask for the figures until one of them is `value`: each process is looked at every second."""
    seen = None
    for _ in range(600):
        try:
            seen = figure(httpx.get(url + "/metrics").text, name)
        except httpx.HTTPError:
            seen = None
        if seen == value:
            return
        time.sleep(0.1)
    raise AssertionError(f"{name} is {seen} and not {value}")


def test_each_worker_tells_of_all(tiny_model: Path, tmp_path: Path) -> None:
    with two_workers(tiny_model, tmp_path) as (url, supervisor):
        until(url, "alexnet_ready_processes", 2)
        (folder,) = tmp_path.iterdir()
        for _ in range(20):  # each by a connection of its own, so that both workers get some
            httpx.post(url + "/predict", files={"file": picture(BLUE)}).raise_for_status()
            httpx.post(url + "/predict", files={"file": b"a cat, in words"})

        until(url, "alexnet_rejected_total", 20)
        for _ in range(10):
            text = httpx.get(url + "/metrics").text
            assert figure(text, "alexnet_model_info") == 1
            assert figure(text, "alexnet_ready_processes") == 2
            assert figure(text, "alexnet_request_seconds_count", route="/predict") == 40
            assert figure(text, "alexnet_requests_total", route="/predict", status="200") == 20
            assert figure(text, "alexnet_rejected_total", reason="unsupported-image") == 20
            assert figure(text, "alexnet_stage_seconds_count", stage="inference") == 20
            assert figure(text, "alexnet_batch_pictures_sum") == 20
            assert figure(text, "alexnet_process_starts_total") == 2
        assert httpx.get(url + "/health/live").json() == {"status": "live"}
        files = {path.name for path in folder.iterdir()}

        children = psutil.Process(supervisor).children()
        next(child for child in children if "spawn_main" in str(child.cmdline())).kill()
        until(url, "alexnet_process_starts_total", 3)
        until(url, "alexnet_ready_processes", 2)
        until(url, "alexnet_rejected_total", 20)
        assert {path.name for path in folder.iterdir()} == files, "each restart would leave some"

    assert list(tmp_path.iterdir()) == [], "the folder is removed with the service"


@pytest.mark.parametrize("hangs", ["part", "whole"])
def test_a_hung_process_is_told_by_those_beside_it(tmp_path: Path, hangs: str) -> None:
    """A part of it, which it tells of itself, or all of it, so that it tells nothing."""
    code = (
        "import sys\n"
        "import app.metrics\n"
        "hangs, seconds = sys.argv[1], float(sys.argv[2])\n"
        "now = app.metrics.time()\n"
        "app.metrics.time = lambda: now - seconds * (hangs == 'whole')\n"
        "metrics = app.metrics.Metrics()\n"
        "metrics._look = lambda: app.metrics.State(stalled_seconds=seconds * (hangs == 'part'))\n"
        "print(metrics.longest_stall(), flush=True)\n"
        "sys.stdin.read()\n"
    )

    def start(seconds: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", code, hangs, seconds],
            env={**os.environ, FOLDER_VARIABLE: str(tmp_path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    with start("75") as hung:
        own = float(hung.stdout.readline())
        assert own == (75 if hangs == "part" else 0)
        with start("0") as moving:
            assert 75 <= float(moving.communicate()[0]) < 75 + 60
        hung.stdin.close()


def test_ended_worker_is_forgotten_but_for_what_it_counted(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from app.metrics import Metrics\n"
        "from app.shared_figures import forget_process, share_figures\n"
        "share_figures(0)\n"
        "metrics = Metrics()\n"
        "metrics.count_request('/predict', 200, '', 0.1)\n"
        "sys.stdout.write(metrics.render().decode())\n"
        "forget_process(0)\n"
    )
    for ended in range(3):
        text = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, FOLDER_VARIABLE: str(tmp_path)},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout
        assert figure(text, "alexnet_requests_total") == ended + 1
    assert [path.name for path in tmp_path.glob("gauge_live*")] == []


def test_workers_need_a_folder_for_their_figures(tiny_model: Path) -> None:
    code = (
        "import sys, tempfile\n"
        "tempfile._candidate_tempdir_list = lambda: ['/nowhere']\n"
        "from app.__main__ import main\n"
        "main()\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "ALEXNET_MODEL": str(tiny_model), "ALEXNET_WORKERS": "2"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 1
    assert result.stderr.startswith("Several workers need a folder for temporary files")
    assert result.stderr.count("\n") == 1
