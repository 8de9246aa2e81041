from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from app.bounds import bound, check_exif, is_bounded
from app.images import FORMATS
from app.pillow import open_picture
from app.source import LONGEST_HEADER, Source, UnusualError
from tests.app.pictures import picture
from tests.app.pixels import file_of
from tests.app.runs import bmp_with_runs

WITH_RUNS = bmp_with_runs(8, 8, b"\x00\x01")


def opened(data: bytes) -> tuple[Image.Image, Source]:
    source = Source(data, 60)
    return open_picture(source), source


@pytest.mark.parametrize("file_format", FORMATS)
def test_some_formats_are_left_to_other_processes(file_format: str) -> None:
    assert is_bounded(picture(file_format=file_format)) is (
        file_format not in ("TIFF", "AVIF", "HEIF")
    )


@pytest.mark.parametrize(
    "data",
    [
        WITH_RUNS,
        b"MM\x00*",
        b"\x00\n\x00\x00ftypmsf1",
        picture(file_format="WEBP", lossless=True),
        picture(file_format="WEBP", xmp=b"<metadata/>"),
    ],
    ids=["runs", "TIFF", "HEIC", "lossless WebP", "WebP with metadata"],
)
def test_so_are_their_variants(data: bytes) -> None:
    assert not is_bounded(data)


@pytest.mark.parametrize(("size", "usual"), [((4000, 4000), True), ((4000, 4001), False)])
def test_large_webp_is_unusual(size: tuple[int, int], usual: bool) -> None:
    image, source = opened(file_of(Image.new("RGB", size), "WEBP", quality=0, method=0))

    if usual:
        bound(image, source)
    else:
        with pytest.raises(UnusualError):
            bound(image, source)


@pytest.mark.parametrize(
    ("side", "options", "block"),
    [
        (4000, {}, 65536),
        (500, {"progressive": True}, 65536),
        (4000, {"progressive": True}, 2048),
        (8000, {"progressive": True}, 512),
    ],
)
def test_jpeg_in_scans_is_decoded_in_small_blocks(
    side: int, options: dict[str, Any], block: int
) -> None:
    data = bytearray(file_of(Image.new("L", (8, 8)), "JPEG", **options))
    frame = data.index(b"\xff\xc2" if options else b"\xff\xc0")
    data[frame + 5 : frame + 9] = 2 * side.to_bytes(2)
    image, source = opened(bytes(data))
    bound(image, source)

    assert image.size == (side, side)
    assert image.decodermaxblock == block


def test_components_in_scans_of_their_own_are_told_from_the_first() -> None:
    data = bytearray(file_of(Image.new("RGB", (8, 8)), "JPEG"))
    frame, scan = data.index(b"\xff\xc0"), data.index(b"\xff\xda")
    data[frame + 5 : frame + 9] = 2 * (8000).to_bytes(2)
    data[scan + 2 : scan + 14] = b"\x00\x08\x01\x01\x00\x00\x3f\x00"
    image, source = opened(bytes(data))
    bound(image, source)

    assert image.decodermaxblock == 512


def test_several_pictures_are_taken_for_scans() -> None:
    frames = [Image.new("RGB", (2000, 2000)) for _ in range(2)]
    image, source = opened(file_of(frames[0], "MPO", save_all=True, append_images=frames[1:]))
    bound(image, source)

    assert image.decodermaxblock == 8192


@pytest.mark.parametrize(
    ("name", "value"),
    [("exif", bytes(LONGEST_HEADER + 1)), ("Raw profile type exif", "0" * (LONGEST_HEADER + 1))],
)
def test_long_exif_is_unusual(name: str, value: bytes | str) -> None:
    image = Image.new("RGB", (8, 8))
    check_exif(image)
    image.info[name] = value

    with pytest.raises(UnusualError):
        check_exif(image)
