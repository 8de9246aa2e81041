"""The service behind real sockets, in the test's own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from app.network import network_options
from app.settings import Settings

_SMALL_BUFFER = 4096


class Connection:
    """A client that sends whatever it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self) -> httpx.Response:
        """Return the next response."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        status, *lines = head.decode().splitlines()
        headers = httpx.Headers([line.split(": ", 1) for line in lines if line])
        body = await self._reader.readexactly(int(headers.get("content-length", 0)))
        return httpx.Response(int(status.split()[1]), headers=headers, content=body)

    async def rest(self) -> bytes:
        """Return all that comes until the server ends the connection."""
        try:
            return await self._reader.read()
        except ConnectionError:
            return b""

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


class Server:
    """A service that listens on a port."""

    def __init__(self, app: FastAPI, server: uvicorn.Server) -> None:
        self.app = app
        self._server = server
        self.port: int = server.servers[0].sockets[0].getsockname()[1]

    @property
    def requests(self) -> int:
        """How many are being answered."""
        return len(self._server.server_state.tasks)

    @property
    def waiting(self) -> int:
        """How many pictures wait for an engine."""
        figures = self.app.state.metrics.render().decode()
        return int(float(figures.split("\nalexnet_waiting_pictures ")[1].split()[0]))

    @property
    def connections(self) -> int:
        return len(self._server.server_state.connections)

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=60)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Connect, with buffers that a few answers fill."""
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", self.port))
        streams = await asyncio.open_connection(sock=client, limit=_SMALL_BUFFER)
        connection = Connection(*streams)
        try:
            yield connection
        finally:
            await connection.close()


@asynccontextmanager
async def listening(app: FastAPI, settings: Settings) -> AsyncIterator[Server]:
    """Serve the app as `python -m app` does, until the block ends."""
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, **network_options(settings)))
    async with asyncio.TaskGroup() as tasks:
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SMALL_BUFFER)
        serving = tasks.create_task(server.serve([listener]))
        await until(lambda: server.started or serving.done())
        try:
            yield Server(app, server)
        finally:
            server.should_exit = True


async def until(condition: Callable[[], bool]) -> None:
    """Return once something is so."""
    for _ in range(6000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to be")


async def drip(connection: Connection, data: bytes, ended: asyncio.Task[Any]) -> None:
    """Send some bytes again and again, until the server has ended the connection."""
    with contextlib.suppress(ConnectionError):
        while not ended.done():
            await connection.send(data)
            await asyncio.sleep(0.01)
