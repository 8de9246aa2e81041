"""How long a training waits for its data."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TypeVar

Item = TypeVar("Item")


class Waiting:
    """Adds up the seconds that an iterator takes to give its items."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def timed(self, items: Iterator[Item]) -> Iterator[Item]:
        """The same items, none of them asked for before it is wanted."""
        while True:
            started = time.perf_counter()
            item = next(items, None)
            self.seconds += time.perf_counter() - started
            if item is None:
                return
            yield item
