from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import ModelCardError, StartupError
from app.lanes.fork_server import ForkServer
from app.lanes.wire import packed
from tests.app.lanes.servers import TINY, lane_processes

ROOT = Path(__file__).parents[3]


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
