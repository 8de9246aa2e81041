"""What lasts from the application's start to its end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI

from app.access.protection import log_who_may_ask
from app.interpreter import settled_interpreter
from app.metrics import Metrics
from app.model import Model
from app.service import Service
from app.settings import Settings


def lifespan_of(
    settings: Settings, load: Callable[[Settings], Model], metrics: Metrics
) -> Callable[[FastAPI], AbstractAsyncContextManager[dict[str, Any]]]:
    """Return what starts an application's service, and closes the one that it ends with.

    The server is told of `metrics`, for what it refuses before it is a request.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        log_who_may_ask(settings)
        app.state.service = Service(settings, load(settings), metrics)
        try:
            async with metrics.sampling():
                with settled_interpreter():
                    yield {"metrics": metrics}
        finally:
            await app.state.service.close()  # the first one, or what took its place

    return lifespan
