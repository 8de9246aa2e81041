"""Python's interpreter, set for a service that has loaded all it needs."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SWITCH_SECONDS = 0.0005
"""How long a thread with Python to run waits for another one; by default ten times that, in which
the event loop can answer a batch of requests while threads that could decode wait."""

_NEW_OBJECTS = 20_000
"""Until garbage is looked for, by default after 700, several times in each request."""


@contextmanager
def settled_interpreter() -> Iterator[None]:
    """Exempt all that exists from garbage collection, and switch between threads more often."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_SECONDS)
    threshold = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, *threshold[1:])
    try:
        yield
    finally:
        gc.set_threshold(*threshold)
        gc.unfreeze()
        sys.setswitchinterval(before)
