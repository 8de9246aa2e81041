"""Pillow, as it must be where files come from strangers: few formats, and quiet."""

from __future__ import annotations

import io
import re
import warnings
from functools import cache

from PIL import AvifImagePlugin, Image, UnidentifiedImageError

from app.heic import add_heic_to_pillow, is_heic

MAX_PIXELS = 64_000_000
_HEIC = "HEIF"
_PILLOWS_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
FORMATS = (*_PILLOWS_FORMATS, _HEIC)

_TIFF_COMPRESSIONS = frozenset(
    {"raw", "packbits", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "jpeg"}
)
_PILLOW = r"PIL\."
_QUIET = ("ignore", None, Warning, re.compile(_PILLOW), 0)


def open_picture(file: io.BytesIO) -> Image.Image:
    """Read a picture's header, and no pixels.

    Raises:
        UnidentifiedImageError: Not in one of `FORMATS`.
        Exception: Pillow's plugins raise many types for damaged files.
    """
    _limit()
    if _QUIET not in warnings.filters:  # pytest takes it away after every test
        warnings.filterwarnings("ignore", module=_PILLOW)
    formats: tuple[str, ...] = _PILLOWS_FORMATS
    if is_heic(file.getvalue()):
        add_heic_to_pillow()
        formats = (_HEIC,)
    image = Image.open(file, formats=formats)
    if image.format == "TIFF" and image.info["compression"] not in _TIFF_COMPRESSIONS:
        raise UnidentifiedImageError("TIFF holds anything, and not all of it is supported.")
    return image


@cache
def _limit() -> None:
    # Some plugins allocate while they open a file. Pillow refuses twice what this says.
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # as for all formats: a thread decodes one picture
