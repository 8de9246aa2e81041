"""Which requests are made, in which order."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from hardening import bad, good, rude
from hardening.reference import Reference
from hardening.trial import Trial

_BAD_SHARE = 1 / 3


def trials(reference: Reference, count: int, seed: int) -> Iterator[Trial]:
    """Yield requests, a third of them damaged, oversized, cut off or abandoned.

    They are made as they are needed, since all of them together would fill the memory.
    """
    random = Random(seed)
    spoilt = {**bad.KINDS, **rude.KINDS}
    for number in range(count):
        kinds = spoilt if number % 3 == 2 else good.KINDS
        (make,) = random.choices(list(kinds), list(kinds.values()))
        yield make(random, reference)
