from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from app.card import read_card
from app.errors import StartupError
from app.lanes.fork_server import ForkServer
from app.lanes.load import load_lanes
from app.lanes.work import NARROW, WIDE
from app.settings import Settings
from tests.app.lanes.forks import answer, ended, fork_server_of, kill_fork_server
from tests.app.lanes.servers import TINY, LastingServer, await_ends, lane_processes
from tests.app.pictures import BLUE, RED, picture

ROOT = Path(__file__).parents[3]


@pytest.fixture
def server(lasting_server: LastingServer) -> Iterator[LastingServer]:
    """One with two lanes, left by the tests before as if it were new."""
    yield lasting_server
    lasting_server.end()


@pytest.mark.parametrize("engine", [NARROW, WIDE])
def test_lanes_predict(server: LastingServer, engine: str) -> None:
    assert len(set(server.numbers)) == 2
    for lane in server.processes:
        assert [answer(lane, picture(color), engine) for color in (RED, BLUE)] == [0, 1]


def test_end_leaves_no_process(model: bytes) -> None:
    before = lane_processes()
    server = ForkServer(model, TINY)
    started = [process for process in lane_processes() if process not in before]
    server.end()

    assert len(started) == 3
    assert not any(process.is_running() for process in started)


@pytest.mark.parametrize("hanging", ["lanes", "fork server"])
def test_end_leaves_no_process_that_hangs(model: bytes, hanging: str) -> None:
    server = ForkServer(model, TINY)
    lanes = [psutil.Process(lane.number) for lane in server.processes]
    fork_server = fork_server_of(server.processes[0])
    for process in lanes if hanging == "lanes" else [fork_server]:
        process.suspend()
    server.end(0.01)

    assert not fork_server.is_running()
    await_ends(lanes)


def test_end_leaves_no_process_of_a_fork_server_that_was_killed(model: bytes) -> None:
    server = ForkServer(model, TINY)
    lanes = [psutil.Process(lane.number) for lane in server.processes]
    kill_fork_server(server)
    server.end()

    await_ends(lanes)


def test_no_lane_is_forked_after_the_end(model: bytes) -> None:
    before = lane_processes()
    server = ForkServer(model, TINY)
    server.end()

    with pytest.raises(StartupError):
        server.replace(0)
    assert lane_processes() == before


def test_end_waits_until_a_lane_is_replaced(model: bytes) -> None:
    before = lane_processes()
    server = ForkServer(model, TINY)
    fork_server = fork_server_of(server.processes[0])
    fork_server.suspend()
    server.processes[0].socket.close()
    with ThreadPoolExecutor(2) as pool:
        replacing = pool.submit(server.replace, 0)
        ending = pool.submit(server.end)
        fork_server.resume()
        ending.result()

    assert replacing.exception() is None or isinstance(replacing.exception(), StartupError)
    assert lane_processes() == before


def test_processes_are_told_no_secrets(
    model: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ALEXNET_API_KEYS", "a secret")
    monkeypatch.setenv("ELSE", "a variable")
    monkeypatch.chdir(tmp_path)  # they are started from any folder
    with ended(ForkServer(model, TINY)) as server:
        lane = psutil.Process(server.processes[0].number)
        for process in (lane, lane.parent()):
            assert process.environ()["ELSE"] == "a variable"
            assert not any(name.startswith("ALEXNET_") for name in process.environ())


def test_processes_have_one_thread(server: LastingServer) -> None:
    for lane in server.processes[1:]:
        answer(lane, picture())
        assert psutil.Process(lane.number).num_threads() == 1
        assert fork_server_of(lane).num_threads() == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_to_the_process_group_end_no_lane(
    server: LastingServer, number: signal.Signals
) -> None:
    fork_server = fork_server_of(server.processes[0])
    for process in (*server.numbers, fork_server.pid):
        os.kill(process, number)

    assert [answer(lane, picture(BLUE)) for lane in server.processes] == [1, 1]
    assert fork_server_of(server.processes[0]) == fork_server


def test_model_file_may_be_overwritten(tiny_model: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_model, tmp_path, dirs_exist_ok=True)
    settings = Settings(device="cpu", threads=2, model=tmp_path)
    with ended(load_lanes(settings, read_card(tmp_path))) as server:
        (tmp_path / "model.tflite").write_bytes(b"")
        server.processes[0].socket.close()
        server.replace(0)

        assert [answer(lane, picture(BLUE)) for lane in server.processes] == [1, 1]


def test_lanes_end_with_the_service(tiny_model: Path) -> None:
    code = f"""
import os
from pathlib import Path
from tests.app.lanes.servers import LastingServer
server = LastingServer(Path({str(tiny_model)!r}))
print(*server.numbers, flush=True)
os.kill(os.getpid(), 9)
"""
    finished = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT, check=False
    )
    numbers = [int(number) for number in finished.stdout.split()]
    lanes = [psutil.Process(number) for number in numbers if psutil.pid_exists(number)]

    assert len(numbers) == 2
    await_ends(lanes)
