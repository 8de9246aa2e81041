"""What a process that serves does, alone or as one of several."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable
from functools import partial
from logging.config import dictConfig
from multiprocessing.connection import Connection
from socket import socket
from typing import Any

import uvicorn

from app.errors import StartupError
from app.main import create_app
from app.memory import return_large_blocks
from app.model import Model, load_model
from app.server import Report, Server
from app.settings import Settings
from app.shared_figures import share_figures
from app.signals import prepare_signals

logger = logging.getLogger(__name__)


def serve(
    settings: Settings,
    server_options: dict[str, Any],
    listener: socket,
    report: Report,
    load: Callable[[], Model],
) -> None:
    """Serve the model until SIGTERM or SIGINT, which `prepare_signals` lets end the process.

    Args:
        server_options: Of `uvicorn.Config`.
        load: Returns the model, or raises StartupError.

    Raises:
        StartupError: The model cannot be served.
    """
    dictConfig(server_options["log_config"])  # as the server does, for what is said until then
    return_large_blocks()
    loaded = [load()]  # before the server runs: an error is one sentence
    app = create_app(settings, lambda _: loaded.pop())  # and nobody keeps it once it is replaced
    config = uvicorn.Config(app, **server_options)
    host, port, *_ = listener.getsockname()
    logger.info("listening on http://%s:%d", f"[{host}]" if ":" in host else host, port)
    Server(config, app, report).run(sockets=[listener])


def work(
    settings: Settings,
    server_options: dict[str, Any],
    place: int,
    listener: socket,
    telling: Connection,
) -> None:
    """Serve as one process of several, and tell the supervisor, as `app.supervisor.Work` says."""
    prepare_signals()
    share_figures(place)

    def tell(message: str | None) -> None:
        with contextlib.suppress(BrokenPipeError):  # it was killed, which also ends this process
            telling.send(message)

    try:
        serve(settings, server_options, listener, tell, partial(load_model, settings))
    except StartupError as error:
        tell(str(error))
        sys.exit(1)
