"""Picture files, made here."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image
from pillow_heif import register_heif_opener

from app.heic import add_heic_to_pillow

register_heif_opener()  # which writes it
add_heic_to_pillow()  # which reads it from now on, in its place

RED = (230, 20, 20)
BLUE = (20, 20, 230)
GREEN = (20, 230, 20)


def picture(
    color: tuple[int, int, int] = RED,
    size: tuple[int, int] = (64, 48),
    file_format: str = "JPEG",
    **options: Any,
) -> bytes:
    """Return the file of a picture in one color; `size` is (width, height)."""
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, file_format, **options)
    return file.getvalue()


def sideways_picture() -> bytes:
    """Return a JPEG stored as 64 x 48, that EXIF says is to be turned by a quarter."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return picture(exif=exif)


def spotted_picture(width: int = 100, height: int = 100, file_format: str = "PNG") -> bytes:
    """Return a blue picture with a red spot, at 0.7 to 0.8 of its width and 0.2 to 0.3 down."""
    image = Image.new("RGB", (width, height), BLUE)
    spot = (round(0.7 * width), round(0.2 * height), round(0.8 * width), round(0.3 * height))
    image.paste(RED, spot)
    file = io.BytesIO()
    image.save(file, file_format)
    return file.getvalue()
