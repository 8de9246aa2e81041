"""What lanes are forked from, made for tests."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import psutil

from app.confinement import Order
from app.engines.warmth import Expected
from app.errors import StartupError
from app.lanes.fork_server import ForkServer
from app.lanes.lane import Process
from app.lanes.wire import read_message
from app.lanes.work import Loading, work
from tests.app.fake_engine import FakeEngine

TINY = Loading(Expected((227, 227, 3), 2, True), Order((227, 227), 64_000_000, 60.0), threads=2)
"""The tiny model."""
FAKE = Loading(Expected((8, 8, 3), 2, True), Order((8, 8), 64_000_000, 60.0), threads=1)
"""Fake engines."""


class LastingServer(ForkServer):
    """One of the tiny model that pipelines use one after the other: each finds its lanes new."""

    def __init__(self, folder: Path) -> None:
        self.stops_lanes = False
        """Whether lanes are stopped before they are given anything."""
        super().__init__((folder / "model.tflite").read_bytes(), TINY)

    def replace(self, place: int) -> str:
        fate = super().replace(place)
        if self.stops_lanes:
            self.stop(place)
        return fate

    def end(self, seconds: float = 0.0) -> None:
        self.stops_lanes = False
        for place in range(len(self.processes)):
            self.replace(place)

    def end_for_good(self) -> None:
        super().end()

    @property
    def numbers(self) -> list[int]:
        return [lane.number for lane in self.processes]

    def stop(self, place: int) -> None:
        os.kill(self.processes[place].number, signal.SIGSTOP)

    def stop_all(self) -> None:
        for place in range(len(self.processes)):
            self.stop(place)

    def go_on(self) -> None:
        for number in self.numbers:
            os.kill(number, signal.SIGCONT)


class ThreadServer:
    """Lanes that are threads, each with a fake engine. They end on SystemExit."""

    def __init__(self, engines: Sequence[FakeEngine], loading: Loading = FAKE) -> None:
        self.loading = loading
        self._engines = engines
        self._threads: list[threading.Thread] = []
        self._replacing = threading.Lock()
        self._ended = False
        self.processes = [self._start(engine) for engine in engines]

    def replace(self, place: int) -> str:
        with self._replacing:
            if self._ended:
                raise StartupError("The lanes have been ended.")
            self.processes[place].socket.close()
            self.processes[place] = self._start(self._engines[place])
        return "fate"

    def end(self, seconds: float = 0.0) -> None:
        with self._replacing:
            self._ended = True
            for lane in self.processes:
                lane.socket.close()
        for thread in self._threads:
            thread.join()

    def _start(self, engine: FakeEngine) -> Process:
        ours, theirs = socket.socketpair()
        thread = threading.Thread(target=self._work, args=(theirs, engine))
        self._threads.append(thread)
        thread.start()
        read_message(ours)
        engine.batch_sizes.clear()
        engine.entered.clear()
        return _Thread(2**30, ours)  # the number of no process

    def _work(self, connection: socket.socket, engine: FakeEngine) -> None:
        with contextlib.suppress(SystemExit), connection:
            work(connection, self.loading, engine, engine)


class _Thread(Process):
    def kill(self) -> None:
        raise AssertionError("threads are not killed")


def lane_processes() -> list[psutil.Process]:
    """Return fork servers and lanes below this process."""
    children = psutil.Process().children(recursive=True)
    return [child for child in children if "app.lanes.process" in child.cmdline()]


def await_ends(processes: Iterable[psutil.Process]) -> None:
    """Return once processes have ended, whether or not somebody has waited for them."""
    for _ in range(6000):
        if not any(map(_is_alive, processes)):
            return
        time.sleep(0.01)
    raise AssertionError("they live on")


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
