"""The application, made anew by every call."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from app.batch import router as batch_router
from app.description import DESCRIPTION
from app.explain import router as explain_router
from app.interpreter import settled_interpreter
from app.overload import RefuseWhenFull
from app.problems import add_problem_handlers
from app.routes import router
from app.service import Model, Service, load_model
from app.settings import Settings, load_settings


def create_app(
    settings: Settings | None = None, load: Callable[[Settings], Model] = load_model
) -> FastAPI:
    """Make the service; it loads its model when it starts. Settings default to the environment's.

    Raises:
        SettingsError: The environment holds an unusable value.
    """
    chosen = settings or load_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with closing(Service(chosen, load(chosen))) as app.state.service, settled_interpreter():
            yield

    # FastAPI's own Swagger UI comes from elsewhere, and stays blank without the internet.
    app = FastAPIOffline(redoc_url=None, lifespan=lifespan, **DESCRIPTION)
    app.include_router(router)
    app.include_router(batch_router)
    app.include_router(explain_router)
    app.add_middleware(RefuseWhenFull, paths=["/predict", "/predict/batch", "/explain"])
    add_problem_handlers(app)
    return app
