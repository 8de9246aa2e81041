"""The application, made anew by every call."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware.errors import ServerErrorMiddleware

from app.access_log import LogRequests
from app.admission import BindService
from app.batch import router as batch_router
from app.description import DESCRIPTION
from app.explain import router as explain_router
from app.interpreter import settled_interpreter
from app.metrics import Metrics
from app.overload import RefuseWhenFull
from app.page import add_page
from app.problems import add_problem_handlers
from app.request_id import IdentifyRequests
from app.routes import router
from app.service import Model, Service, load_model
from app.settings import Settings, load_settings
from app.tracing import TELEMETRY
from app.traffic import CountRequests
from app.v2.errors import add_error_handlers
from app.v2.routes import router as v2_router


def create_app(
    settings: Settings | None = None, load: Callable[[Settings], Model] = load_model
) -> FastAPI:
    """Make the service; it loads its model when it starts. Settings default to the environment's.

    Raises:
        SettingsError: The environment holds an unusable value.
    """
    chosen = settings or load_settings()
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.service = Service(chosen, load(chosen), metrics)
        try:
            async with metrics.sampling():
                with settled_interpreter():
                    yield
        finally:
            await app.state.service.close()  # the first one, or what took its place

    # FastAPI's own Swagger UI comes from elsewhere, and stays blank without the internet.
    app = FastAPIOffline(redoc_url=None, lifespan=lifespan, telemetry=TELEMETRY, **DESCRIPTION)
    app.state.metrics = metrics
    for each in (router, batch_router, explain_router, v2_router):
        app.include_router(each)
    add_page(app)
    add_problem_handlers(app)
    add_error_handlers(app)
    app.add_middleware(RefuseWhenFull, paths=["/predict", "/predict/batch", "/explain"])
    app.add_middleware(BindService)
    # The app's own answers failures outside of all that is added, which would not see them.
    app.add_middleware(ServerErrorMiddleware, handler=app.exception_handlers[Exception])
    app.add_middleware(CountRequests, metrics=metrics)
    if chosen.access_log:
        app.add_middleware(LogRequests)
    app.add_middleware(IdentifyRequests)  # outermost: every answer and every line has the name
    return app
