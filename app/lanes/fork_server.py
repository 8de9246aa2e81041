"""The process that lanes are forked from, as the service sees it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
from threading import Lock
from typing import BinaryIO

from app.engines.litert import LiteRTEngine
from app.errors import ModelCardError, StartupError
from app.lanes.lane import Process
from app.lanes.wire import read_message, send_message
from app.lanes.work import Loading
from app.processes import ended_loading, fate_of
from app.subprocesses import start_module

_LOADING_SECONDS = 300.0
_FORKING_SECONDS = 60.0
ENDING_SECONDS = 5.0
"""For lanes that are at work, when they are to end."""

_UNKNOWN = "how is not known"
"""Of a lane whose fork server had ended before it, or told it together with a fault."""


class _GoneError(ConnectionError):
    """The fork server has ended, or hangs."""


class ForkServer:
    """Lanes of a model, the first of which is wide, and others in place of those that end.

    Its lanes are there once it is made. It starts again by itself, should its process end.
    """

    name = LiteRTEngine.name
    device = LiteRTEngine.device
    best_batch = LiteRTEngine.best_batch

    def __init__(self, model: bytes, loading: Loading) -> None:
        """Load the model, and fork as many lanes as `loading.threads`.

        Raises:
            ModelCardError: The model is of no use, or ends what loads it.
            StartupError: There are no processes to be had.
        """
        self.loading = loading
        try:
            self._file = _file_of(model)
        except OSError as error:
            raise _cannot_start(error) from error
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket
        self._replacing = Lock()
        self._killed: set[int] = set()
        self._ended = False
        self.processes: list[Process] = []
        try:
            self._start()
            for place in range(loading.threads):
                self.processes.append(self._fork(place, None)[0])
            for lane in self.processes:
                _wait_until_ready(lane)
        except BaseException as error:
            self.end()
            if isinstance(error, OSError | EOFError):
                raise _cannot_start(error) from error
            raise

    def replace(self, place: int) -> str:
        """Fork a lane in place of one, which is ended if it has not; return how it ended.

        Raises:
            StartupError: It cannot be done now.
        """
        with self._replacing:
            gone = self.processes[place]
            self._kill(gone)
            gone.socket.close()
            try:
                if self._ended:
                    raise BrokenPipeError("the lanes have been ended")
                lane, fate = self._forked_again(place, gone.number)
                self.processes[place] = lane
                _wait_until_ready(lane)
            except (OSError, EOFError) as error:
                raise _cannot_start(error) from error
        return fate

    def end(self, seconds: float = ENDING_SECONDS) -> None:
        """End all lanes, and their server; those that hang after some seconds."""
        with self._replacing:
            self._ended = True
            for lane in self.processes:
                lane.socket.close()
            self._stop(seconds)
            self._file.close()

    def _kill(self, lane: Process) -> None:
        """End a lane, once: its number is another process's after it has been waited for."""
        if lane.number not in self._killed:
            self._killed.add(lane.number)
            lane.kill()

    def _forked_again(self, place: int, gone: int) -> tuple[Process, str]:
        try:
            return self._fork(place, gone)
        except _GoneError:
            self._abandon()
            self._start()
            return self._fork(place, None)[0], "as did what it was forked from"

    def _start(self) -> None:
        control, theirs = socket.socketpair()
        control.settimeout(_LOADING_SECONDS)
        try:
            with theirs:
                self._process = start_module(
                    "app.lanes.process", theirs.fileno(), self._file.fileno()
                )
        except OSError:
            control.close()
            raise
        self._control = control
        try:
            send_message(self._control, self.loading)
            fault = read_message(self._control).told
        except (EOFError, ConnectionError):
            fault = ended_loading(self._process.wait())
        except OSError:  # it hangs
            self._abandon()
            raise
        if fault:
            self._stop(ENDING_SECONDS)
            raise ModelCardError(fault)
        self._control.settimeout(_FORKING_SECONDS)

    def _fork(self, place: int, replaced: int | None) -> tuple[Process, str]:
        """Return another lane, which is not ready yet, and how the one ended that it replaces.

        Raises:
            _GoneError: There is nothing to fork it from.
            OSError: The system gives no more processes, or files.
        """
        ours, theirs = socket.socketpair()
        ours.settimeout(_FORKING_SECONDS)
        request = json.dumps([place == 0 < self.loading.threads - 1, replaced]).encode()
        try:
            with theirs:
                socket.send_fds(self._control, [request], [theirs.fileno()])
            process, status, fault = read_message(self._control).told
        except (OSError, EOFError) as error:
            ours.close()
            self._control.close()  # an answer that comes late is none to the next request
            raise _GoneError(str(error)) from error
        if fault:
            ours.close()
            raise OSError(fault)
        self._killed.discard(process)
        fate = _UNKNOWN if status is None else fate_of(os.waitstatus_to_exitcode(status))
        return Process(process, ours), fate

    def _abandon(self) -> None:
        """End the server, but none of its lanes."""
        self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _stop(self, seconds: float) -> None:
        """End the server, which waits for its lanes."""
        if self._process is None:
            return
        self._control.close()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            for lane in self.processes:
                self._kill(lane)
            self._abandon()


def _wait_until_ready(lane: Process) -> None:
    read_message(lane.socket)


def _file_of(content: bytes) -> BinaryIO:
    """Return a file that nobody else can find, let alone write to."""
    try:
        file: BinaryIO = os.fdopen(os.memfd_create("model"), "w+b")
    except (AttributeError, OSError):  # not Linux, or not allowed
        file = tempfile.TemporaryFile()  # noqa: SIM115  # the server keeps it
    file.write(content)
    file.flush()
    return file


def _cannot_start(error: Exception) -> StartupError:
    return StartupError(
        f"No process can be started that decodes and predicts ({error}); set ALEXNET_THREADS "
        "lower, or the limits of processes and memory higher."
    )
