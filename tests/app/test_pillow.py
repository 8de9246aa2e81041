from __future__ import annotations

import io
import warnings
from typing import Any

import pytest
from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from app.pillow import open_picture
from tests.app.pictures import picture
from tests.app.pixels import file_of


@pytest.mark.parametrize("compression", ["packbits", "tiff_lzw", "tiff_adobe_deflate", "jpeg"])
def test_documented_compressions_are_opened(compression: str) -> None:
    data = picture(file_format="TIFF", compression=compression)

    assert open_picture(io.BytesIO(data)).size == (64, 48)


@pytest.mark.parametrize(
    "options",
    [
        {"compression": "lzma"},
        {"compression": "zstd"},
        {"compression": "webp"},
        {"compression": "tiff_sgilog"},
    ],
)
def test_other_decoders_are_never_reached(options: dict[str, Any]) -> None:
    data = bytearray(picture(file_format="TIFF", compression="tiff_lzw"))
    code = {"lzma": 34925, "zstd": 50000, "webp": 50001, "tiff_sgilog": 34676}
    tag = b"\x03\x01\x03\x00\x01\x00\x00\x00"
    place = data.index(tag) + len(tag)
    data[place : place + 2] = code[options["compression"]].to_bytes(2, "little")

    with pytest.raises(UnidentifiedImageError):
        open_picture(io.BytesIO(bytes(data)))


@pytest.mark.parametrize("file_format", ["ICO", "ICNS", "PPM", "TGA", "PCX", "JPEG2000", "DDS"])
def test_other_formats_are_never_opened(file_format: str) -> None:
    with pytest.raises(UnidentifiedImageError):
        open_picture(io.BytesIO(file_of(Image.new("RGB", (64, 64)), file_format)))


@pytest.mark.parametrize(
    "start",
    [b"8BPS\x00\x01", b"%!PS-Adobe-3.0 EPSF", b"SIMPLE  =", b"\xd7\xcd\xc6\x9a", b"gimp xcf"],
)
def test_their_beginnings_are_told_from_pictures(start: bytes) -> None:
    with pytest.raises(UnidentifiedImageError):
        open_picture(io.BytesIO(start + bytes(1000)))


def test_what_pillow_finds_odd_is_neither_shown_nor_kept() -> None:
    exif = b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00" + bytes(3)
    data = file_of(Image.new("RGB", (8, 8)), "JPEG", exif=exif)
    registry: dict[Any, Any] = getattr(TiffImagePlugin, "__warningregistry__", {})
    registry.clear()

    with warnings.catch_warnings(record=True, action="always") as seen:
        open_picture(io.BytesIO(data)).getexif()

    assert seen == []
    assert not {key for key in registry if key != "version"}
