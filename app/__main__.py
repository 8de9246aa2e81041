"""The service as a command: `python -m app`."""

from __future__ import annotations

import argparse
import copy
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from tempfile import TemporaryDirectory
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.config import LOGGING_CONFIG

from app.card import read_card
from app.errors import StartupError
from app.main import create_app
from app.metrics import FOLDER_VARIABLE
from app.service import load_model
from app.settings import load_settings


def main() -> None:
    """Serve the model until a signal ends the process, in one process or in several."""
    options = _options()
    try:
        settings = load_settings()
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
            access_log=options.access_log,
            server_header=False,
            log_config=_log_config(),
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


def _log_config() -> dict[str, Any]:
    config = copy.deepcopy(LOGGING_CONFIG)
    config["loggers"]["app"] = {"handlers": ["default"], "level": "INFO", "propagate": False}
    # It warns of every malformed body; the client is told.
    config["loggers"]["python_multipart"] = {"level": "ERROR"}
    return config


if __name__ == "__main__":
    main()
