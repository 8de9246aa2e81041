"""Several processes that serve one port."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection
from socket import socket

from app.errors import StartupError
from app.hangup import handle_hangup
from app.processes import fate_of
from app.shared_figures import forget_process

logger = logging.getLogger(__name__)

Work = Callable[[int, socket, Connection], None]
"""What a worker does, from its start to its end, in its place among them, with the socket that all
of them listen on. It sends None once it is ready and after each reload, or the sentence that says
why it failed. Can be pickled."""

_PAUSE_SECONDS = 1.0
"""Before a worker that ended is replaced: one that always ends must not keep the cores busy."""
_ENDING_SECONDS = 10.0
"""After all that a worker allows itself to end, until it is killed."""

_spawn = get_context("spawn")


class Worker:
    """A process, as its supervisor sees it."""

    def __init__(self, work: Work, place: int, listener: socket) -> None:
        """Start it. Must be called where an event loop runs."""
        self._place = place
        self._loop = asyncio.get_running_loop()
        self.started: asyncio.Future[str | None] = self._loop.create_future()
        """None once it serves, or the sentence that says why it cannot."""
        self.ended = asyncio.Event()
        self._reloads: asyncio.Queue[str | None] = asyncio.Queue()
        self._told, telling = _spawn.Pipe(duplex=False)
        self._process = _spawn.Process(target=work, args=(place, listener, telling))
        # An interrupt that comes while it imports all it needs waits for `prepare_signals`.
        resource_tracker.ensure_running()  # else it is now, and would let interrupts in again
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        telling.close()
        self._loop.add_reader(self._told.fileno(), self._hear)
        self._loop.add_reader(self._process.sentinel, self._end)

    def __str__(self) -> str:
        return f"worker {self._process.pid}"

    @property
    def fate(self) -> str:
        """The exit code of one that ended, or the signal that ended it."""
        return fate_of(self._process.exitcode or 0)

    async def reload(self) -> str | None:
        """Let it change its model; return None, or the sentence that says why it did not."""
        await self.started
        if self.ended.is_set():
            return None  # the one that takes its place loads what is there now
        while not self._reloads.empty():  # of signals that others sent
            self._reloads.get_nowait()
        self._signal(signal.SIGHUP)
        return await self._reloads.get()

    async def end(self, seconds: float) -> None:
        """Let it finish what it accepted, and kill it if that takes longer."""
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.ended.wait(), seconds)
        except TimeoutError:
            logger.error("The %s does not end, and is killed.", self)
            self._signal(signal.SIGKILL)
            await self.ended.wait()

    def _signal(self, number: signal.Signals) -> None:
        if not self.ended.is_set() and self._process.pid is not None:
            os.kill(self._process.pid, number)

    def _hear(self) -> None:
        try:
            self._take(self._told.recv())
        except EOFError:
            self._loop.remove_reader(self._told.fileno())
            self._told.close()

    def _take(self, message: str | None) -> None:
        if not self.started.done():
            self.started.set_result(message)
        else:
            self._reloads.put_nowait(message)

    def _end(self) -> None:
        self._loop.remove_reader(self._process.sentinel)
        self._process.join()
        forget_process(self._place)
        while not self._told.closed and self._told.poll():
            self._hear()
        self.ended.set()
        self._take(f"The {self} ended ({self.fate}).")


class Supervisor:
    """Keeps workers at work, until SIGTERM or SIGINT ends them all.

    On SIGHUP they change their models one after the other, as long as each succeeds.
    """

    def __init__(
        self, work: Work, listener: socket, *, workers: int, shutdown_seconds: float
    ) -> None:
        """Start nothing yet; `shutdown_seconds` are what a worker allows itself to end."""
        self._work = work
        self._listener = listener
        self._count = workers
        self._ending_seconds = shutdown_seconds + _ENDING_SECONDS
        self._workers: list[Worker] = []
        self._reload_asked = asyncio.Event()

    def run(self) -> None:
        """Return once all workers have ended because they were told to.

        Raises:
            StartupError: One of the first of them cannot serve.
        """
        asyncio.run(self._run())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        handle_hangup(self._reload_asked.set, stop.set)
        serving = asyncio.create_task(self._serve())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        serving.cancel()
        self._listener.close()  # the workers have their own
        await asyncio.gather(*(worker.end(self._ending_seconds) for worker in self._workers))
        with contextlib.suppress(asyncio.CancelledError):
            await serving

    async def _serve(self) -> None:
        try:
            for place in range(self._count):
                self._workers.append(Worker(self._work, place, self._listener))
        except OSError as error:
            raise StartupError(
                f"{self._count} processes cannot be started ({error.strerror}); set "
                "ALEXNET_WORKERS to fewer, or allow more."
            ) from error
        for sentence in await asyncio.gather(*(worker.started for worker in self._workers)):
            if sentence is not None:
                raise StartupError(sentence)
        await asyncio.gather(self._keep_reloading(), *map(self._keep, range(self._count)))

    async def _keep(self, place: int) -> None:
        """Replace the worker in this place whenever it ends."""
        while True:
            worker = self._workers[place]
            await worker.ended.wait()
            logger.error("The %s ended (%s); another one takes its place.", worker, worker.fate)
            self._workers[place] = await self._replacement(place)
            if sentence := await self._workers[place].started:
                logger.error(sentence)

    async def _replacement(self, place: int) -> Worker:
        while True:
            await asyncio.sleep(_PAUSE_SECONDS)
            try:
                return Worker(self._work, place, self._listener)
            except OSError as error:
                logger.error("No process can be started (%s); it is tried again.", error.strerror)

    async def _keep_reloading(self) -> None:
        while True:
            await self._reload_asked.wait()
            self._reload_asked.clear()
            for place in range(self._count):
                if await self._workers[place].reload() is not None:
                    logger.error("The model was refused; no other worker tries it.")
                    break
