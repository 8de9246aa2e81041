"""The service behind real sockets, in the test's own event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import uvicorn
from fastapi import FastAPI

from app.network import network_options
from app.settings import Settings


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
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            pass


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
    def connections(self) -> int:
        return len(self._server.server_state.connections)

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=60)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        connection = Connection(*await asyncio.open_connection("127.0.0.1", self.port))
        try:
            yield connection
        finally:
            await connection.close()


@asynccontextmanager
async def listening(app: FastAPI, settings: Settings) -> AsyncIterator[Server]:
    """Serve the app as `python -m app` does, until the block ends."""
    config = uvicorn.Config(app, port=0, log_config=None, **network_options(settings))
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(server.serve())
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
