from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest

from app.card import read_card
from app.errors import ModelCardError, StartupError
from app.lanes.fork_server import ForkServer
from app.lanes.lane import Process
from app.lanes.load import load_lanes
from app.lanes.wire import packed, read_message, send_message
from app.lanes.work import FILE, NARROW, WIDE
from app.settings import Settings
from tests.app.lanes.servers import TINY, LastingServer, await_ends, lane_processes
from tests.app.pictures import BLUE, RED, picture

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def lasting_server(tiny_model: Path) -> Iterator[LastingServer]:
    server = LastingServer(tiny_model)
    yield server
    server.end_for_good()


@pytest.fixture
def server(lasting_server: LastingServer) -> Iterator[LastingServer]:
    """One with two lanes, left by the tests before as if it were new."""
    yield lasting_server
    lasting_server.end()


@pytest.fixture
def model(tiny_model: Path) -> bytes:
    return (tiny_model / "model.tflite").read_bytes()


Program = Callable[[str], None]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Let another program be the fork server: `control` is its socket."""
    path = tmp_path / "program"

    def write(code: str) -> None:
        prepare = "import os, signal, socket, sys\ncontrol = socket.socket(fileno=int(sys.argv[5]))"
        path.write_text(f"#!{sys.executable}\n{prepare}\ncontrol.recv(65536)\n{code}\n")
        path.chmod(0o700)
        monkeypatch.setattr("app.subprocesses.sys.executable", str(path))

    return write


@contextmanager
def ended(server: ForkServer) -> Iterator[ForkServer]:
    try:
        yield server
    finally:
        server.end()


def answer(lane: Process, file: bytes, engine: str = NARROW) -> int:
    """Return the class that a lane says a picture is of."""
    send_message(lane.socket, FILE, [file])
    send_message(lane.socket, engine)
    probabilities, *_ = read_message(lane.socket).blobs
    return int(np.frombuffer(probabilities, np.float32).argmax())


def await_end(lane: Process) -> None:
    with pytest.raises(EOFError):
        read_message(lane.socket)


def kill_fork_server(server: ForkServer) -> None:
    fork_server = fork_server_of(server.processes[0])
    fork_server.kill()
    fork_server.wait()


def fork_server_of(lane: Process) -> psutil.Process:
    parent = psutil.Process(lane.number).parent()
    assert parent in psutil.Process().children()
    return parent


@pytest.mark.parametrize("engine", [NARROW, WIDE])
def test_lanes_predict(server: LastingServer, engine: str) -> None:
    assert len(set(server.numbers)) == 2
    for lane in server.processes:
        assert [answer(lane, picture(color), engine) for color in (RED, BLUE)] == [0, 1]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
@pytest.mark.parametrize("place", [0, 1])
def test_lane_that_ended_is_replaced(
    server: LastingServer, number: signal.Signals, place: int
) -> None:
    gone, other = server.processes[place], server.processes[1 - place]
    os.kill(gone.number, number)
    await_end(gone)

    assert server.replace(place) == number.name
    assert server.processes[1 - place] is other
    assert server.processes[place].number != gone.number
    assert not psutil.pid_exists(gone.number)
    assert [answer(lane, picture(BLUE)) for lane in server.processes] == [1, 1]


def test_lane_that_hangs_is_ended_and_replaced(server: LastingServer) -> None:
    server.stop(1)
    hanging = server.processes[1]

    assert server.replace(1) == "SIGKILL"
    assert not psutil.pid_exists(hanging.number)
    assert answer(server.processes[1], picture(BLUE)) == 1


def test_replaced_lane_lets_go_of_its_socket(server: LastingServer) -> None:
    gone = server.processes[0]
    server.replace(0)

    assert gone.socket.fileno() == -1


def test_fork_server_that_was_killed_starts_again(model: bytes) -> None:
    with ended(ForkServer(model, TINY)) as server:
        gone, other = server.processes
        kill_fork_server(server)
        gone.kill()
        gone.socket.close()

        assert server.replace(0) == "as did what it was forked from"
        assert server.processes[1] is other
        assert [answer(lane, picture(BLUE)) for lane in server.processes] == [1, 1]


def test_fork_server_that_hangs_starts_again_and_its_lanes_live_on(model: bytes) -> None:
    with ended(ForkServer(model, TINY)) as server:
        _, other = server.processes
        fork_server_of(other).suspend()
        server._control.settimeout(0.01)

        assert server.replace(0) == "as did what it was forked from"
        assert server.processes[1] is other
        assert [answer(lane, picture(BLUE)) for lane in server.processes] == [1, 1]
        os.kill(other.number, signal.SIGSEGV)
        await_end(other)
        assert server.replace(1) == "how is not known"


def test_file_that_cannot_be_opened_ends_no_lane(
    server: LastingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, other = server.processes
    fork_server = fork_server_of(other)

    def fail() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr("app.lanes.fork_server.socket.socketpair", fail)
        with pytest.raises(StartupError, match="Too many open files"):
            server.replace(0)

    assert server.replace(0) == "SIGKILL"
    assert server.processes[1] is other
    assert fork_server_of(server.processes[0]) == fork_server
    assert [answer(lane, picture(BLUE)) for lane in server.processes] == [1, 1]


def test_process_that_cannot_be_had_ends_no_lane(
    model: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The third fork fails: the first after those of the two lanes."""
    script = tmp_path / "python"
    script.write_text(f"""#!{sys.executable}
import os, sys
sys.path.insert(0, {str(ROOT)!r})
sys.argv = sys.argv[4:]
fork, forks = os.fork, []
def fail_once():
    forks.append(1)
    if len(forks) == 3:
        raise BlockingIOError(11, "Resource temporarily unavailable")
    return fork()
os.fork = fail_once
from app.lanes.process import main
main()
""")
    script.chmod(0o700)
    monkeypatch.setattr("app.subprocesses.sys.executable", str(script))
    with ended(ForkServer(model, TINY)) as server:
        _, other = server.processes
        fork_server = fork_server_of(other)
        with pytest.raises(StartupError, match="temporarily unavailable"):
            server.replace(0)

        server.replace(0)
        assert server.processes[1] is other
        assert fork_server_of(server.processes[0]) == fork_server
        assert [answer(lane, picture(BLUE)) for lane in server.processes] == [1, 1]


def test_fork_server_that_starts_again_stays(model: bytes) -> None:
    with ended(ForkServer(model, TINY)) as server:
        kill_fork_server(server)
        for lane in server.processes:
            lane.socket.close()
        server.replace(0)
        stays = fork_server_of(server.processes[0])
        server.replace(1)

        assert fork_server_of(server.processes[1]) == stays


def test_end_leaves_no_process(model: bytes) -> None:
    before = lane_processes()
    server = ForkServer(model, TINY)
    started = [process for process in lane_processes() if process not in before]
    server.end()

    assert len(started) == 3
    assert not any(process.is_running() for process in started)


@pytest.mark.parametrize("hanging", ["lanes", "fork server"])
def test_end_leaves_no_process_that_hangs(
    model: bytes, monkeypatch: pytest.MonkeyPatch, hanging: str
) -> None:
    monkeypatch.setattr("app.lanes.fork_server._ENDING_SECONDS", 0.01)
    server = ForkServer(model, TINY)
    lanes = [psutil.Process(lane.number) for lane in server.processes]
    fork_server = fork_server_of(server.processes[0])
    for process in lanes if hanging == "lanes" else [fork_server]:
        process.suspend()
    server.end()

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


def test_broken_model_is_refused() -> None:
    before = lane_processes()
    with pytest.raises(ModelCardError, match="cannot be loaded by LiteRT"):
        ForkServer(b"not a model", TINY)

    assert lane_processes() == before


def test_model_that_is_not_what_its_card_says_is_refused(model: bytes) -> None:
    with pytest.raises(ModelCardError, match="names 3 labels"):
        ForkServer(model, TINY._replace(expected=TINY.expected._replace(classes=3)))


def test_model_that_ends_what_loads_it_is_refused(model: bytes, program: Program) -> None:
    program("os.kill(os.getpid(), signal.SIGSEGV)")

    with pytest.raises(ModelCardError, match=r"ends what loads it \(SIGSEGV\)"):
        ForkServer(model, TINY)


def test_system_that_gives_no_more_processes_is_told(model: bytes, program: Program) -> None:
    ready = b"".join(packed(""))
    program(f"control.sendall({ready!r})\ncontrol.recv(64)")

    with pytest.raises(StartupError, match=r"\(.+\); set ALEXNET_THREADS lower"):
        ForkServer(model, TINY)


def test_system_that_gives_no_process_at_all_is_told(
    model: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.subprocesses.sys.executable", "/no/such/program")

    with pytest.raises(StartupError, match="No such file"):
        ForkServer(model, TINY)


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
