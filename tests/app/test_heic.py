from __future__ import annotations

import subprocess
import sys

import pytest

from app.heic import is_heic
from tests.app.pictures import picture


def header(*brands: bytes) -> bytes:
    """Return the first box of a file: its major brand, a version, and the compatible ones."""
    major, *others = brands
    box = b"ftyp" + major + bytes(4) + b"".join(others)
    return (len(box) + 4).to_bytes(4) + box


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (picture(file_format="HEIF"), True),
        (header(b"heic"), True),
        (header(b"mif1", b"mif1", b"heic"), True),
        (header(b"msf1", b"hevc"), True),
        (header(b"mif1", b"mif1", b"avif"), False),
        (header(b"mif1") + b"heic", False),
        (header(b"avif", b"mif1", b"heic"), False),
        (header(b"isom", b"heic"), False),
        (b"\xff\xff\xff\xffftypmif1" + bytes(1000), False),
        (b"\x00\x00\x00\x00ftyp", False),
        (picture(file_format="AVIF"), False),
        (picture(), False),
        (b"", False),
    ],
)
def test_heic_is_told_by_its_brands(data: bytes, expected: bool) -> None:
    assert is_heic(data) is expected


def test_heic_brings_no_decoder_into_the_service() -> None:
    code = (
        "import sys; from app.images import decode_image;"
        "print(decode_image(sys.stdin.buffer.read(), (8, 8)).format, 'pi_heif' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        input=picture(file_format="HEIF"),
        capture_output=True,
        check=True,
    )

    assert result.stdout.split() == [b"HEIF", b"False"]
    assert result.stderr == b""
