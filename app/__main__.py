"""The service as a command: `python -m app`."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from logging.config import dictConfig
from tempfile import TemporaryDirectory

import uvicorn
from fastapi import FastAPI

from app.card import read_card
from app.errors import StartupError
from app.log import log_config
from app.main import create_app
from app.metrics import FOLDER_VARIABLE
from app.service import load_model
from app.settings import load_settings


def main() -> None:
    """Serve the model until a signal ends the process, in one process or in several."""
    options = _options()
    if options.access_log:
        os.environ["ALEXNET_ACCESS_LOG"] = "true"
    os.environ.setdefault("OTEL_RESOURCE_ATTRIBUTES", "service.name=alexnet")
    try:
        settings = load_settings()
        lines = log_config(settings.log_format, settings.log_level)
        dictConfig(lines)  # as the server does later, for what is said until then
        app: FastAPI | str = "app.main:create_app"
        if settings.workers == 1:
            model = load_model(settings)  # before the server runs: an error is one sentence
            app = create_app(settings, lambda _: model)
        else:
            read_card(settings.model)  # each worker loads the model for itself
        figures = _shared_figures(settings.workers)
    except StartupError as error:
        sys.exit(str(error))
    with figures:
        uvicorn.run(
            app,
            factory=settings.workers > 1,
            workers=settings.workers,
            host=options.host,
            port=options.port,
            access_log=False,  # there is one of our own
            log_config=lines,
            reset_contextvars=True,  # no request inherits the name or the trace of the last one
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m app", description="Serve the model over HTTP.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    port = os.environ.get("PORT", "8000")
    parser.add_argument("--port", default=port, type=int, help="else PORT or 8000; 0: any free one")
    parser.add_argument("--access-log", action="store_true", help="log a line for every request")
    return parser.parse_args()


def _shared_figures(workers: int) -> AbstractContextManager[object]:
    """Give several workers a folder, empty at first, where `/metrics` of each finds all figures."""
    if workers == 1:
        return nullcontext()
    try:
        folder = TemporaryDirectory(prefix="alexnet-")
    except OSError as error:
        raise StartupError(
            f"Several workers need a folder for temporary files ({error.strerror}); set TMPDIR to "
            "one that can be written, or ALEXNET_WORKERS=1."
        ) from error
    os.environ[FOLDER_VARIABLE] = folder.name
    return folder


if __name__ == "__main__":
    main()
