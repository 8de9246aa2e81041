"""Small, sound files of every format and variant, to begin from."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from tests.app.pictures import BLUE, RED
from tests.app.pixels import file_of, quarters
from tests.app.png import png_file
from tests.app.runs import bmp_with_runs

_VARIANTS: dict[str, list[dict[str, Any]]] = {
    "JPEG": [{}, {"progressive": True}, {"subsampling": "4:4:4"}, {"restart_marker_rows": 1}],
    "PNG": [{}, {"icc_profile": b"a profile" * 9}],
    "WEBP": [{}, {"lossless": True}, {"icc_profile": b"a profile" * 9}],
    "GIF": [{}, {"comment": b"a comment"}, {"interlace": False}],
    "BMP": [{}],
    "TIFF": [
        {},
        {"big_tiff": True},
        {"compression": "packbits"},
        {"compression": "tiff_lzw"},
        {"compression": "tiff_adobe_deflate"},
        {"compression": "jpeg"},
    ],
    "AVIF": [{}, {"subsampling": "4:4:4"}],
    "HEIF": [{}, {"chroma": 444}],
}
_MODES = {
    "JPEG": ("L", "CMYK"),
    "PNG": ("1", "L", "LA", "P", "RGBA"),
    "WEBP": ("RGBA",),
    "GIF": ("L", "P"),
    "BMP": ("1", "L", "P"),
    "TIFF": ("1", "L", "P", "RGBA", "CMYK"),
    "AVIF": ("RGBA",),
    "HEIF": ("RGBA",),
}
_ANIMATED = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF", "HEIF")


def seeds_of(file_format: str) -> list[bytes]:
    """Return files of one of `app.pillow.FORMATS`."""
    image = quarters()
    files = [file_of(image, file_format, **options) for options in _VARIANTS[file_format]]
    files += [file_of(image.convert(mode), file_format) for mode in _MODES[file_format]]
    if file_format in _ANIMATED:
        files.append(_animation("MPO" if file_format == "JPEG" else file_format))
    if file_format not in ("GIF", "BMP"):
        files.append(file_of(image, file_format, exif=_exif()))
    if file_format == "PNG":
        files += [png_file(np.asarray(image), interlaced=True)]
        files += [png_file(np.asarray(image).astype(np.uint16) * 257)]
    if file_format == "BMP":
        runs = b"\x08\x01\x00\x00" * 7 + b"\x00\x04abcd\x00\x02\x01\x00\x00\x00\x00\x01"
        files.append(bmp_with_runs(8, 8, runs))
    return files


def _animation(file_format: str) -> bytes:
    frames = [Image.new("RGB", (64, 48), color) for color in (RED, BLUE)]
    return file_of(frames[0], file_format, save_all=True, append_images=frames[1:])


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x011A] = 72.0
    exif[0x010F] = "a camera"
    return exif.tobytes()
