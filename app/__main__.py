"""The service as a command: `python -m app`."""

from __future__ import annotations

import argparse
import copy
import sys
from typing import Any

import uvicorn
from uvicorn.config import LOGGING_CONFIG

from app.errors import StartupError
from app.main import create_app
from app.service import load_model
from app.settings import load_settings


def main() -> None:
    """Load the model, then serve it until a signal ends the process."""
    options = _options()
    try:
        settings = load_settings()
        model = load_model(settings)
    except StartupError as error:
        sys.exit(str(error))
    uvicorn.run(
        create_app(settings, lambda _: model),
        host=options.host,
        port=options.port,
        log_config=_log_config(),
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m app", description="Serve the model over HTTP.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", default=8000, type=int, help="0 takes any free one")
    return parser.parse_args()


def _log_config() -> dict[str, Any]:
    config = copy.deepcopy(LOGGING_CONFIG)
    config["loggers"]["app"] = {"handlers": ["default"], "level": "INFO", "propagate": False}
    # It warns of every malformed body; the client is told.
    config["loggers"]["python_multipart"] = {"level": "ERROR"}
    return config


if __name__ == "__main__":
    main()
