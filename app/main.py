"""The application, made anew by every call."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing

from fastapi import FastAPI
from starlette.middleware.errors import ServerErrorMiddleware

from app.access.protection import log_who_may_ask, protect
from app.batch import router as batch_router
from app.description import DESCRIPTION
from app.docs import add_docs
from app.explain import router as explain_router
from app.interpreter import settled_interpreter
from app.metrics import CountRequests, Metrics
from app.overload import RefuseWhenFull
from app.page import add_page
from app.problems import add_problem_handlers
from app.routes import router
from app.service import Model, Service, load_model
from app.settings import Settings, load_settings
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
        log_who_may_ask(chosen)
        with closing(Service(chosen, load(chosen), metrics)) as app.state.service:
            async with metrics.sampling():
                with settled_interpreter():
                    yield

    app = FastAPI(
        openapi_url="/openapi.json" if chosen.docs else None,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        **DESCRIPTION,
    )
    app.state.metrics = metrics
    for each in (router, batch_router, explain_router, v2_router):
        app.include_router(each)
    add_page(app, links_docs=chosen.docs)
    if chosen.docs:
        add_docs(app)
    add_problem_handlers(app)
    add_error_handlers(app)
    # FastAPI's own is around all other middleware, which would not see how a fault is answered.
    app.add_middleware(ServerErrorMiddleware, handler=app.exception_handlers[Exception])
    app.add_middleware(RefuseWhenFull, paths=["/predict", "/predict/batch", "/explain"])
    protect(app, chosen)
    app.add_middleware(CountRequests, metrics=metrics)  # outermost, so that it sees refusals
    return app
