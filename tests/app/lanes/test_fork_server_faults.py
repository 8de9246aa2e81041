from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from app.errors import StartupError
from app.lanes.fork_server import ForkServer
from tests.app.lanes.forks import answer, await_end, ended, fork_server_of, kill_fork_server
from tests.app.lanes.servers import TINY, LastingServer
from tests.app.pictures import BLUE, picture

ROOT = Path(__file__).parents[3]


@pytest.fixture
def server(lasting_server: LastingServer) -> Iterator[LastingServer]:
    """One with two lanes, left by the tests before as if it were new."""
    yield lasting_server
    lasting_server.end()


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


def test_fork_server_that_hangs_twice_starts_again(
    model: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it answers late is no answer to what it is asked next."""
    with ended(ForkServer(model, TINY)) as server:
        monkeypatch.setattr("app.lanes.fork_server._FORKING_SECONDS", 1e-6)
        server._control.settimeout(1e-6)
        with pytest.raises(StartupError):
            server.replace(0)
        monkeypatch.undo()

        assert server.replace(0) == "as did what it was forked from"
        assert fork_server_of(server.processes[0]).is_running()
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
