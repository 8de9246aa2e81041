"""Changes to a file that a decoder may trip over."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from random import Random

_HEADER = 512
_TELLING = (0, 1, 2, 3, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF)
_TELLING_NUMBERS = (*_TELLING, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_MAGIC = b"\x89PNG\r\n\x1a\n"


def mutated(data: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """Return a file with a few changes."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
        if not changed:
            break
        random.choice(_CHANGES)(changed, others, random)
    return bytes(changed)


def mostly_summed(data: bytes, random: Random) -> bytes:
    """Return a file, if it is a PNG, mostly with checksums that fit."""
    if data.startswith(_MAGIC) and random.random() < 0.8:
        return _with_checksums(data)
    return data


def _place(changed: bytearray, random: Random) -> int:
    """Return a place, in the header as often as in all the rest."""
    end = len(changed) if random.random() < 0.5 else min(len(changed), _HEADER)
    return random.randrange(end)


def _flip(changed: bytearray, _: Sequence[bytes], random: Random) -> None:
    changed[_place(changed, random)] ^= 1 << random.randrange(8)


def _overwrite(changed: bytearray, _: Sequence[bytes], random: Random) -> None:
    changed[_place(changed, random)] = random.randrange(256)


def _number(changed: bytearray, _: Sequence[bytes], random: Random) -> None:
    place = _place(changed, random)
    length = random.choice((1, 2, 4))
    number = random.choice(_TELLING_NUMBERS) % 256**length
    changed[place : place + length] = number.to_bytes(length, random.choice(("big", "little")))


def _cut(changed: bytearray, _: Sequence[bytes], random: Random) -> None:
    place = _place(changed, random)
    del changed[place : place + random.choice((1, 2, 4, 12, 64, len(changed)))]


def _repeat(changed: bytearray, _: Sequence[bytes], random: Random) -> None:
    place = _place(changed, random)
    part = changed[place : place + random.choice((1, 2, 4, 12, 64, 256))]
    changed[place:place] = part * random.choice((1, 1, 2, 50))


def _splice(changed: bytearray, others: Sequence[bytes], random: Random) -> None:
    other = random.choice(others)
    start = random.randrange(len(other))
    part = other[start : start + random.choice((4, 16, 64, 512))]
    place = _place(changed, random)
    changed[place : place + random.choice((0, len(part)))] = part


_CHANGES = (_flip, _overwrite, _number, _number, _cut, _repeat, _splice)


def _with_checksums(png: bytes) -> bytes:
    parts = [png[: len(_MAGIC)]]
    place = len(_MAGIC)
    while place + 12 <= len(png):
        length = int.from_bytes(png[place : place + 4])
        content = png[place + 4 : place + 8 + length]
        parts += [png[place : place + 4], content, zlib.crc32(content).to_bytes(4)]
        place += 12 + length
    return b"".join(parts) + png[place:]
