"""Fork servers and their lanes, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest

from app.lanes.fork_server import ForkServer
from app.lanes.lane import Process
from app.lanes.wire import read_message, send_message
from app.lanes.work import FILE, NARROW

ROOT = Path(__file__).parents[3]


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
