"""The application, made anew by every call."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI

from app.batch import router as batch_router
from app.description import DESCRIPTION
from app.docs import add_docs
from app.explain import router as explain_router
from app.lifespan import lifespan_of
from app.metrics import Metrics
from app.middleware import add_middleware
from app.model import Model, load_model
from app.page import add_page
from app.problems import add_problem_handlers
from app.routes import router
from app.settings import Settings, load_settings
from app.tracing import TELEMETRY
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
    app = FastAPI(
        openapi_url="/openapi.json" if chosen.docs else None,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan_of(chosen, load, metrics),
        telemetry=TELEMETRY,
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
    add_middleware(app, chosen, metrics)
    return app
