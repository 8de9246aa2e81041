from __future__ import annotations

import struct

import pytest

from app.lanes.weight import is_heavy
from tests.app.pictures import picture
from tests.app.runs import bmp_with_runs


def png_header(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", width, height)


def gif_header(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "GIF", "BMP", "WEBP"])
def test_usual_picture_is_light(file_format: str) -> None:
    assert not is_heavy(picture(file_format=file_format))


@pytest.mark.parametrize(("length", "heavy"), [(2**20, False), (2**20 + 1, True)])
def test_large_file_is_heavy(length: int, heavy: bool) -> None:
    assert is_heavy(picture().ljust(length, b"\x00")) is heavy


@pytest.mark.parametrize("header", [png_header, gif_header])
@pytest.mark.parametrize(("width", "heavy"), [(2000, False), (2001, True)])
def test_file_that_announces_many_pixels_is_heavy(header, width: int, heavy: bool) -> None:
    assert is_heavy(header(width, 2000)) is heavy


@pytest.mark.parametrize(
    "data",
    [picture(file_format="TIFF"), picture(file_format="AVIF"), bmp_with_runs(8, 8, b"\x00\x01")],
    ids=["TIFF", "AVIF", "runs"],
)
def test_file_whose_cost_nothing_bounds_is_heavy(data: bytes) -> None:
    assert is_heavy(data)


@pytest.mark.parametrize("data", [png_header(9999, 9999)[:-1], gif_header(9999, 9999)[:-1], b""])
def test_file_that_breaks_off_is_light(data: bytes) -> None:
    assert not is_heavy(data)
