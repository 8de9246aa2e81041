"""What signals do until the server runs, which then heeds them."""

from __future__ import annotations

import signal
import sys


def prepare_signals() -> None:
    """Let SIGTERM and SIGINT end the process with exit code 0, and SIGHUP wait until it serves."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)  # the server raises it again when it has ended
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # which the supervisor blocked


def _leave(*_: object) -> None:
    sys.exit(0)
