"""How the service listens."""

from __future__ import annotations

import resource
from functools import partial
from typing import Any

from app.errors import StartupError
from app.protocol import SPARE_CONNECTIONS, BoundedProtocol, ConnectionLimits
from app.settings import Settings

_OTHER_FILES = 128
"""That a process has open beside its connections."""


def network_options(settings: Settings) -> dict[str, Any]:
    """Return the options for uvicorn that bound what clients may do."""
    limits = ConnectionLimits(
        connections=settings.max_connections,
        header_bytes=settings.max_header_bytes,
        header_seconds=settings.header_seconds,
        transfer_seconds=settings.transfer_seconds,
    )
    return {
        "http": partial(BoundedProtocol, limits, set()),
        "ws": "none",
        "timeout_keep_alive": settings.keep_alive_seconds,
    }


def allow_connections(settings: Settings) -> None:
    """Let this process, and those that it starts, open as many files as connections take.

    Raises:
        StartupError: The system does not allow that.
    """
    needed = settings.max_connections + SPARE_CONNECTIONS + _OTHER_FILES
    needed += 2 * settings.threads  # sockets to lanes, and to those of the next model
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise StartupError(
            f"ALEXNET_MAX_CONNECTIONS takes {needed} open files, of which a process may have "
            f"{hard} here; set it to {max(1, hard - needed + settings.max_connections)} or less, "
            "or raise the limit with 'ulimit -n'."
        )
    if soft != resource.RLIM_INFINITY and needed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
