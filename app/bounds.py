"""Which pictures a thread may decode: those whose cost is bounded by what they are."""

from __future__ import annotations

import re

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from app.pillow import MAX_PIXELS
from app.source import LONGEST_HEADER, Source, UnusualError

_UNBOUNDED = re.compile(rb"....ftyp|II|MM|BM.{28}[\1\2]|RIFF....WEBPVP8[LX]", re.DOTALL)
"""How files begin whose decoder may take hours or gigabytes for little: AVIF, HEIC, TIFF, BMP with
runs, and WebP that is lossless or may be so in a part, such as alpha."""
_MOST_WEBP_PIXELS = 16_000_000
"""They are decoded in one call, and take 16 bytes each."""
_PIXELS_TIMES_BYTES = MAX_PIXELS * 512
"""Of a JPEG in several scans, and of what its decoder is given at once: 512 bytes hold 50 scans
with nothing in them, and each visits every pixel."""
_START_OF_SCAN = b"\xff\xda"
_EXIF = ("exif", "Raw profile type exif")


def is_bounded(data: bytes) -> bool:
    """Whether a thread may begin to decode a file."""
    return _UNBOUNDED.match(data) is None


def bound(image: Image.Image, source: Source) -> None:
    """Let a picture whose header has been read take no more than its source allows.

    Raises:
        UnusualError: That cannot be done.
    """
    source.end_header()
    pixels = image.width * image.height
    if image.format == "WEBP" and pixels > _MOST_WEBP_PIXELS:
        raise UnusualError
    if isinstance(image, JpegImageFile) and _has_scans(image, source):
        image.decodermaxblock = min(image.decodermaxblock, _PIXELS_TIMES_BYTES // pixels)


def check_exif(image: Image.Image) -> None:
    """Raise UnusualError where EXIF is longer than a thread may read."""
    if any(len(image.info.get(name) or b"") > LONGEST_HEADER for name in _EXIF):
        raise UnusualError


def _has_scans(image: JpegImageFile, source: Source) -> bool:
    """Whether a JPEG may have more than one scan."""
    if "progressive" in image.info or image.format == "MPO":
        return True
    data = source.getvalue()
    components_of_scan = data[data.rfind(_START_OF_SCAN, 0, source.tell()) + 4]
    return components_of_scan < image.layers
