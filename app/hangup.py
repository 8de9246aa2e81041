"""SIGHUP: a person asks for another model, or the terminal that the service runs in was closed."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

_STDERR = 2


def handle_hangup(reload: Callable[[], object], end: Callable[[], object]) -> None:
    """Call `reload` on SIGHUP, or `end` where the terminal has gone. In a running event loop."""
    had_terminal = os.isatty(_STDERR)

    def handle() -> None:
        if had_terminal and not os.isatty(_STDERR):
            end()
        else:
            reload()

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, handle)
