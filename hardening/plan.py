"""Which requests are made, in which order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random

from hardening import bad, good, rude
from hardening.reference import Reference
from hardening.trial import Make, Trial


def trials(reference: Reference, count: int, seed: int) -> Iterator[Trial]:
    """Yield requests, a third of them damaged, oversized, cut off or abandoned.

    They are made as they are needed, since all of them together would fill the memory.
    """
    random = Random(seed)
    well, ill = _deck(good.KINDS, random), _deck({**bad.KINDS, **rude.KINDS}, random)
    for number in range(count):
        make = next(ill if number % 3 == 2 else well)
        yield make(random, reference)


def _deck(kinds: Mapping[Make, int], random: Random) -> Iterator[Make]:
    """Yield kinds as from a deck of cards, shuffled and dealt again and again."""
    cards = [make for make, times in kinds.items() for _ in range(times)]
    while True:
        random.shuffle(cards)
        yield from cards
