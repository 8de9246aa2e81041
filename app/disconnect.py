"""Work that is dropped when the client is gone."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request

Result = TypeVar("Result")


async def unless_disconnected(request: Request, answer: asyncio.Future[Result]) -> Result:
    """Return the result of `answer`, which is cancelled as soon as the client disconnects.

    The request's body must have been read.

    Raises:
        ClientDisconnect: The client is gone.
    """
    leaving = asyncio.create_task(_cancel_when_disconnected(request, answer))
    try:
        return await answer
    except asyncio.CancelledError:
        if leaving.done():
            raise ClientDisconnect from None
        raise
    finally:
        leaving.cancel()


async def _cancel_when_disconnected(request: Request, answer: asyncio.Future[Result]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    answer.cancel()
