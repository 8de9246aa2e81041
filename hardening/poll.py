"""Waiting for what another process does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

_DEADLINE_SECONDS = 300
_PAUSE_SECONDS = 0.05


async def until(
    holds: Callable[[], Awaitable[bool]], otherwise: str, pause: float = _PAUSE_SECONDS
) -> float:
    """Return once it holds, and say after how many seconds.

    Raises:
        TimeoutError: It does not hold in five minutes.
    """
    start = time.perf_counter()
    while not await holds():
        if time.perf_counter() - start > _DEADLINE_SECONDS:
            raise TimeoutError(f"After {_DEADLINE_SECONDS} s {otherwise}.")
        await asyncio.sleep(pause)
    return time.perf_counter() - start
