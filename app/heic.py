"""HEIC, the pictures of iPhones, for Pillow to open."""

from __future__ import annotations

from functools import cache

_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_NEUTRAL_BRANDS = frozenset({b"mif1", b"msf1"})
"""Of any codec: AVIF files begin with them, too."""
_LONGEST_HEADER = 256


def is_heic(data: bytes) -> bool:
    """Whether a file begins as HEIC does, whatever follows."""
    if data[4:8] != b"ftyp":
        return False
    end = min(int.from_bytes(data[:4]), _LONGEST_HEADER)
    major, *others = (data[start : start + 4] for start in (8, *range(16, end, 4)))
    return major in _BRANDS or (major in _NEUTRAL_BRANDS and not _BRANDS.isdisjoint(others))


@cache
def add_heic_to_pillow() -> None:
    """Let Pillow open HEIC as its format "HEIF".

    Called for the first such file, since the import takes longer than a picture, in a process of
    `app.confinement`: none of this is in the service's own.
    """
    from pi_heif import register_heif_opener

    # As for all formats: a thread decodes one picture, and the picture itself, not its thumbnail.
    register_heif_opener(decode_threads=1, thumbnails=False)
