"""What `python -m app` runs, once the settings are known."""

from __future__ import annotations

import os
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from logging.config import dictConfig
from tempfile import TemporaryDirectory

from app.errors import StartupError
from app.log import log_config
from app.model import Model
from app.network import allow_connections, network_options
from app.server import listening_socket
from app.settings import Settings
from app.shared_figures import FOLDER_VARIABLE
from app.supervisor import Supervisor
from app.worker import serve, work


def run(settings: Settings, host: str, port: int, loading: Future[Model] | None) -> None:
    """Serve until a signal ends the process, in as many processes as the settings say.

    Args:
        loading: The model, which several processes load themselves.

    Raises:
        StartupError: It cannot be served.
    """
    allow_connections(settings)
    lines = log_config(settings.log_format, settings.log_level)
    os.environ.setdefault("OTEL_RESOURCE_ATTRIBUTES", "service.name=alexnet")
    server_options = {
        "access_log": False,  # there is one of our own
        "server_header": False,
        "log_config": lines,
        "reset_contextvars": True,  # no request inherits the name or the trace of the last one
        **network_options(settings),
    }
    with listening_socket(host, port) as listener, _shared_figures(settings.workers):
        if loading is not None:
            serve(settings, server_options, listener, lambda _: None, loading.result)
            return
        dictConfig(lines)
        Supervisor(
            partial(work, settings, server_options),
            listener,
            workers=settings.workers,
            shutdown_seconds=settings.shutdown_seconds,
        ).run()


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
