"""Ctrl-C: a sentence and exit code 130, not a traceback."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

_EXIT_CODE = 130  # by which shells tell it


def end_at_interrupt() -> None:
    """End the process at an interrupt, as long as nothing is begun that has to be tidied up."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def raise_at_interrupt() -> None:
    """Raise KeyboardInterrupt at an interrupt again, as Python does by itself."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def interrupted(command: str) -> NoReturn:
    """End `command`, in which KeyboardInterrupt was raised."""
    resume = ", with --resume if it has begun to train" if command == "train" else ""
    print(f"\npython -m training {command}: interrupted; run it again{resume}.", file=sys.stderr)
    sys.exit(_EXIT_CODE)


def _end(*_: int | FrameType | None) -> NoReturn:
    print("\npython -m training: interrupted before it began.", file=sys.stderr, flush=True)
    os._exit(_EXIT_CODE)
