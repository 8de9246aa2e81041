"""The service as a command: `python -m app`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from concurrent.futures import Future
from threading import Thread

from app.errors import StartupError
from app.model import Model, load_model
from app.settings import Settings, load_settings
from app.signals import prepare_signals

_LAST_PORT = 65_535
_FIGURES_FOLDERS = ("PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir")
"""Variables that name the folder of another program's figures; workers have one of their own."""


def main() -> None:
    """Serve the model until a signal ends the process, in one process or in several."""
    options = _options()
    if options.check:  # which must not look passed when it was interrupted
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # which is for the service that is beside it
    else:
        prepare_signals()
    for name in _FIGURES_FOLDERS:
        os.environ.pop(name, None)
    try:
        settings = load_settings()
        if options.check:
            model = load_model(settings)
            model.end()
            print(f"can be served: {model}")
            return
        if options.access_log:
            settings = settings.model_copy(update={"access_log": True})
        loading = _loading(settings) if settings.workers == 1 else None
        from app.command import run  # imports FastAPI, which takes as long as loading

        run(settings, options.host, options.port, loading)
    except StartupError as error:
        sys.exit(str(error))


def _loading(settings: Settings) -> Future[Model]:
    """Load the model in a thread that a signal need not wait for."""
    loading: Future[Model] = Future()

    def load() -> None:
        try:
            loading.set_result(load_model(settings))
        except BaseException as error:
            loading.set_exception(error)

    Thread(target=load, daemon=True).start()
    return loading


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


if __name__ == "__main__":
    main()
