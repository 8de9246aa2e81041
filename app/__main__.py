"""The service as a command: `python -m app`."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from logging.config import dictConfig
from tempfile import TemporaryDirectory

from app.errors import StartupError
from app.log import log_config
from app.metrics import FOLDER_VARIABLE
from app.network import allow_connections, network_options
from app.server import listening_socket
from app.service import load_model
from app.settings import load_settings
from app.supervisor import Supervisor
from app.worker import prepare_signals, serve, work

_LAST_PORT = 65_535


def main() -> None:
    """Serve the model until a signal ends the process, in one process or in several."""
    options = _options()
    if not options.check:  # which must not look passed when it was interrupted
        prepare_signals()
    try:
        settings = load_settings()
        allow_connections(settings)
        if options.check:
            print(f"can be served: {load_model(settings)}")
            return
        if options.access_log:
            settings = settings.model_copy(update={"access_log": True})
        lines = log_config(settings.log_format, settings.log_level)
        os.environ.setdefault("OTEL_RESOURCE_ATTRIBUTES", "service.name=alexnet")
        server_options = {
            "access_log": False,  # there is one of our own
            "server_header": False,
            "log_config": lines,
            "reset_contextvars": True,  # no request inherits the name or the trace of the last one
            **network_options(settings),
        }
        with (
            listening_socket(options.host, options.port) as listener,
            _shared_figures(settings.workers),
        ):
            if settings.workers == 1:
                serve(settings, server_options, listener, lambda _: None)
            else:
                dictConfig(lines)
                Supervisor(
                    partial(work, settings, server_options),
                    listener,
                    workers=settings.workers,
                    shutdown_seconds=settings.shutdown_seconds,
                ).run()
    except StartupError as error:
        sys.exit(str(error))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m app", description="Serve the model over HTTP.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    port = os.environ.get("PORT", "8000")
    parser.add_argument(
        "--port", default=port, type=_port, help="else PORT or 8000; 0: any free one"
    )
    parser.add_argument("--check", action="store_true", help="load the model and end")
    parser.add_argument("--access-log", action="store_true", help="log a line for every request")
    return parser.parse_args()


def _port(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text) <= _LAST_PORT:
        return int(text)
    raise argparse.ArgumentTypeError(
        f"PORT or --port must be a number from 0 to {_LAST_PORT}. Received: {text}"
    )


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
