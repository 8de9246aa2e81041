"""The server, from the socket that it listens on to its last answer."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import signal
import socket
import sys
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI
from uvicorn.lifespan.on import LifespanOn, LifespanSendMessage

from app.errors import StartupError
from app.hangup import handle_hangup
from app.reload import Reloader
from app.service import Service

logger = logging.getLogger(__name__)

Report = Callable[[str | None], object]
"""Is told of the start, and of each reload: None, or the sentence that says why it failed."""


_BACKLOG = 2048
"""Connections that wait to be accepted."""


class _Lifespan(LifespanOn):
    """uvicorn's, which keeps why the application cannot start, and logs no traceback of it."""

    refusal: StartupError | None = None

    async def send(self, message: LifespanSendMessage) -> None:
        error = sys.exception()
        if message["type"] == "lifespan.startup.failed" and isinstance(error, StartupError):
            self.refusal = error
            message["message"] = ""
        await super().send(message)


class Server(uvicorn.Server):
    """uvicorn's server, which on SIGHUP changes the model, and finishes what it accepted.

    uvicorn closes what is idle or still in the kernel's queue as soon as it is told to end. Here,
    it listens and refuses while those requests are answered that came before.
    """

    def __init__(self, config: uvicorn.Config, app: FastAPI, report: Report) -> None:
        """Serve `config`'s application, which is `app` or wraps it."""
        super().__init__(config)
        self._app = app
        self._report = report
        self._reloader = Reloader(app)
        self._reload_asked = asyncio.Event()
        self._reloading: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, then listen.

        Raises:
            StartupError: The application cannot start.
        """
        lifespan = self.lifespan = _Lifespan(self.config)
        try:
            await super().startup(sockets)
        except SystemExit:
            if lifespan.refusal is not None:
                raise lifespan.refusal from None
            raise
        loop = asyncio.get_running_loop()
        handle_hangup(self._reload_asked.set, self._end)
        self._reloading = loop.create_task(self._keep_reloading())
        if parent := multiprocessing.parent_process():
            loop.add_reader(parent.sentinel, self._end_with_parent, parent.sentinel)
        self._report(None)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._reloading is not None:
            self._reloading.cancel()
        service: Service = self._app.state.service
        seconds = service.settings.shutdown_seconds
        logger.info("draining: new requests are refused, for at most %g s", seconds)
        service.drain()
        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        answered = asyncio.create_task(self._answered(service))
        while not (answered.done() or self.force_exit or clock() >= end):
            await asyncio.wait([answered], timeout=0.1)
        answered.cancel()
        # What is left are answers on their way, and requests that are cancelled when time is over.
        self.config.timeout_graceful_shutdown = max(1, round(end - clock()))
        closing = asyncio.create_task(self._keep_closing())
        await super().shutdown(sockets)
        closing.cancel()

    async def _answered(self, service: Service) -> None:
        await service.free()
        await self._reloader.retired()

    async def _keep_closing(self) -> None:
        """Close what uvicorn, which looks once, overlooks: connections that it is given meanwhile.

        Clients that come again at once would keep it from ending.
        """
        while True:
            for connection in list(self.server_state.connections):
                connection.shutdown()
            await asyncio.sleep(0.1)

    def _end_with_parent(self, sentinel: int) -> None:
        """Leave the port to the next supervisor when this one was killed."""
        asyncio.get_running_loop().remove_reader(sentinel)
        self._end()

    def _end(self) -> None:
        self.handle_exit(signal.SIGTERM, None)

    async def _keep_reloading(self) -> None:
        while True:
            await self._reload_asked.wait()
            self._reload_asked.clear()
            self._report(await self._reloader.reload())


def listening_socket(host: str, port: int) -> socket.socket:
    """Listen, though nobody accepts yet.

    Raises:
        StartupError: The port is in use, or cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or error
        raise StartupError(
            f"Port {port} of {host} cannot be used ({reason}); choose another one with PORT or "
            "--port."
        ) from error
    return listener
