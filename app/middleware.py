"""What every request passes through, and in which order."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.middleware.errors import ServerErrorMiddleware

from app.access.protection import protect
from app.access_log import LogRequests
from app.admission import BindService
from app.deadline import Deadlines
from app.metrics import Metrics
from app.overload import RefuseWhenFull
from app.request_id import IdentifyRequests
from app.settings import Settings
from app.traffic import CountRequests

PICTURE_PATHS = (
    "/predict",
    "/predict/batch",
    "/explain",
    "/v2/models/{name}/infer",
    "/v2/models/{name}/versions/{version}/infer",
)


def add_middleware(app: FastAPI, settings: Settings, metrics: Metrics) -> None:
    """Put the application's middleware around it, the innermost first.

    Its handlers of exceptions must be there already.
    """
    app.add_middleware(RefuseWhenFull, paths=PICTURE_PATHS, max_held_bytes=settings.max_held_bytes)
    app.add_middleware(BindService)
    app.add_middleware(
        Deadlines,
        transfer_seconds=settings.transfer_seconds,
        answer_seconds=settings.answer_seconds,
    )
    # FastAPI's own is around all that is added, which would not see how a fault is answered.
    app.add_middleware(ServerErrorMiddleware, handler=app.exception_handlers[Exception])
    protect(app, settings)
    app.add_middleware(CountRequests, metrics=metrics)
    if settings.access_log:
        app.add_middleware(LogRequests)
    app.add_middleware(IdentifyRequests)  # outermost: every answer and every line has the name
