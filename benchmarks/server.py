"""A server under test, in processes of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import psutil

_DEADLINE_SECONDS = 90
_GRACE_SECONDS = 10
_TOLD_CHARACTERS = 2000


class Usage(NamedTuple):
    """What the server's processes have used up to now."""

    cpu_seconds: float
    memory_mb: float
    """What they hold now, in 10^6 bytes: of what several processes share, each has its share (PSS).
    Where the system does not tell that, what each has to itself (USS)."""


class Server:
    """A running server."""

    def __init__(self, port: int, process: psutil.Process, ready_seconds: float) -> None:
        self.port = port
        self.ready_seconds = ready_seconds
        """From the process's start to the first answered request."""
        self._process = process

    @property
    def pid(self) -> int:
        """Of the process that was started."""
        return int(self._process.pid)

    def usage(self) -> Usage:
        """Add up the process and its children."""
        processes = [self._process, *self._process.children(recursive=True)]
        cpu_seconds = sum(of_each(processes, lambda each: sum(each.cpu_times()[:2])))
        return Usage(cpu_seconds, sum(of_each(processes, _held_bytes)) / 1e6)


def _held_bytes(process: psutil.Process) -> float:
    memory = process.memory_full_info()
    return float(memory.pss if hasattr(memory, "pss") else memory.uss)


def of_each(
    processes: Iterable[psutil.Process], ask: Callable[[psutil.Process], float]
) -> list[float]:
    """Ask every process something; those that have ended meanwhile are left out."""
    answers = []
    for process in processes:
        with contextlib.suppress(psutil.Error):
            answers.append(ask(process))
    return answers


@contextmanager
def serving(
    command: Sequence[str | Path], probe: str, *, log: Path, variables: dict[str, str] | None = None
) -> Iterator[Server]:
    """Start a server, and end it with all its children.

    Args:
        command: With "{port}" where the port goes.
        probe: The path that is answered with success once the server is ready.
        log: File for what the server prints.
        variables: Of the environment, beside those of this process, whose own settings of the
            service are left out.

    Raises:
        RuntimeError: It ended, or was not ready in time.
    """
    port = free_port()
    with log.open("ab") as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            [str(part).replace("{port}", str(port)) for part in command],
            env={**_environment(), **(variables or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait_until_ready(process, f"http://127.0.0.1:{port}{probe}", log)
            yield Server(port, psutil.Process(process.pid), time.perf_counter() - start)
        finally:
            _end(process)


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.perf_counter() + _DEADLINE_SECONDS
    with httpx.Client(timeout=5) as client:  # made once: it takes longer than many a request
        while time.perf_counter() < deadline:
            try:
                if client.get(url).is_success:
                    return
            except httpx.TransportError:
                pass
            if process.poll() is not None:
                raise RuntimeError(f"The server ended with {process.returncode}: {_tail(log)}")
            time.sleep(0.01)
    raise RuntimeError(f"The server was not ready in {_DEADLINE_SECONDS} s: {_tail(log)}")


def _environment() -> dict[str, str]:
    """This process's, without settings of the service."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ALEXNET_")}


def _tail(log: Path) -> str:
    """What a server said last: the file itself does not outlive the command."""
    return log.read_text(errors="replace")[-_TOLD_CHARACTERS:].strip()


def _end(process: subprocess.Popen[bytes]) -> None:
    # What is left of one server would slow the next one: LitServe leaves its workers behind.
    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE_SECONDS)
    _, alive = psutil.wait_procs(family, timeout=1)
    for each in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    process.kill()
    process.wait()
    psutil.wait_procs(alive)
    with contextlib.suppress(ProcessLookupError):  # those whose parent had ended before
        os.killpg(process.pid, signal.SIGKILL)


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
