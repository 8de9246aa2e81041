"""The application, made anew by every call."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from app import __version__
from app.batch import router as batch_router
from app.explain import router as explain_router
from app.interpreter import settled_interpreter
from app.overload import RefuseWhenFull
from app.page import add_page
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
    app = FastAPIOffline(title="AlexNet", version=__version__, redoc_url=None, lifespan=lifespan)
    app.include_router(router)
    app.include_router(batch_router)
    app.include_router(explain_router)
    add_page(app)
    app.add_middleware(RefuseWhenFull, paths=["/predict", "/predict/batch", "/explain"])
    add_problem_handlers(app)
    return app
