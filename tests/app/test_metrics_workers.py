from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from app.metrics import FOLDER_VARIABLE
from tests.app.client import free_port
from tests.app.figures import figure
from tests.app.pictures import BLUE, picture


@contextmanager
def two_workers(model: Path, temporary: Path) -> Iterator[str]:
    """Serve with two processes, and yield the address."""
    port = free_port()
    variables = {"ALEXNET_MODEL": str(model), "ALEXNET_WORKERS": "2", "ALEXNET_DEVICE": "cpu"}
    with subprocess.Popen(
        [sys.executable, "-m", "app", "--port", str(port)],
        env={**os.environ, **variables, "TMPDIR": str(temporary)},
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            yield f"http://127.0.0.1:{port}"
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
    with two_workers(tiny_model, tmp_path) as url:
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
        assert len({path.stem.rpartition("_")[2] for path in folder.iterdir()}) == 2

        killed = next(folder.glob("gauge_livesum_*.db")).stem.rpartition("_")[2]
        os.kill(int(killed), signal.SIGKILL)
        until(url, "alexnet_process_starts_total", 3)
        until(url, "alexnet_ready_processes", 2)
        until(url, "alexnet_rejected_total", 20)

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
        "from app.metrics import Metrics, forget_process\n"
        "metrics = Metrics()\n"
        "for ended in sys.argv[1:]:\n"
        "    forget_process(int(ended))\n"
        "metrics.count_request('/predict', 200, '', 0.1)\n"
        "sys.stdout.write(metrics.render().decode())\n"
    )
    texts: list[str] = []
    ended: list[str] = []
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-c", code, *ended],
            env={**os.environ, FOLDER_VARIABLE: str(tmp_path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        texts.append(process.communicate()[0])
        ended.append(str(process.pid))

    assert figure(texts[1], "alexnet_requests_total") == 2
    memory = [figure(text, "process_resident_memory_bytes") for text in texts]
    assert memory[1] < 1.5 * memory[0], "the first process's memory is counted no more"


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
