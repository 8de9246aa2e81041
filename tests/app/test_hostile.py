"""Files made to keep a decoder busy or to fill the memory: each once did, for seconds or hours."""

from __future__ import annotations

import base64
import struct
import sys
import zlib

import pytest
from PIL import Image

from app.images import BrokenImageError, ImageTooLargeError, ImageTooSlowError, decode_image
from tests.app.boxes import with_items
from tests.app.pictures import BLUE, RED, picture
from tests.app.pixels import file_of
from tests.app.png import png_chunk
from tests.app.runs import bmp_with_runs
from tests.app.tiff import START, Field, rgb_fields, tiff_file

SIZE = (8, 8)
SECONDS = 0.2
"""Far less than these files take where nothing ends the decoder."""
MEBIBYTE = 2**20


def orientation_in_rationals(count: int) -> bytes:
    """Return EXIF whose orientation is a list of fractions, each 5 microseconds' work."""
    field = struct.pack("<HHLL", 0x0112, 5, count, 26)
    start = b"II*\x00\x08\x00\x00\x00\x01\x00" + field + bytes(4)
    return start + struct.pack("<2L", 7, 3) * count


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def with_segments(segments: bytes) -> bytes:
    data = picture()
    return data[:2] + segments + data[2:]


def exif_in_segments(exif: bytes, length: int) -> bytes:
    parts = (exif[start : start + length] for start in range(0, len(exif), length))
    return with_segments(b"".join(segment(0xE1, b"Exif\x00\x00" + part) for part in parts))


def jpeg_of_empty_scans(width: int, height: int, length: int) -> bytes:
    """Return a progressive JPEG whose scans say nothing, as often as there is room."""
    components = b"".join(bytes([number, 0x11, 0]) for number in (1, 2, 3))
    first = b"\x03" + b"".join(bytes([number, 0]) for number in (1, 2, 3)) + bytes(3)
    scans = b"".join(
        segment(0xDA, bytes([1, number, 0, 1, 63, 0])) for number in (1, 2, 3)
    )  # each has all frequencies of one component
    start = [
        b"\xff\xd8",
        segment(0xDB, b"\x00" + b"\x01" * 64),
        segment(0xC2, struct.pack(">BHHB", 8, height, width, 3) + components),
        segment(0xC4, b"\x00\x01" + bytes(16)),
        segment(0xC4, b"\x10\x01" + bytes(16)),
        segment(0xDA, first),
    ]
    return b"".join(start) + scans * (length // len(scans)) + b"\xff\xd9"


def png_with(chunks: bytes) -> bytes:
    data = picture(file_format="PNG")
    end_of_header = 8 + 25
    return data[:end_of_header] + chunks + data[end_of_header:]


def test_numbers_in_exif_are_not_all_read() -> None:
    exif = orientation_in_rationals(400_000)
    files = [
        png_with(png_chunk(b"eXIf", exif)),
        file_of(Image.new("RGB", (8, 8)), "WEBP", exif=exif),
        exif_in_segments(exif, 65_000),
        tiff_file(
            bytes(192),
            rgb_fields(8, 8, 1) | {273: Field("L", [START]), 282: Field("2L", [7] * 800_000)},
        ),
    ]
    for data in files:
        with pytest.raises(
            ImageTooSlowError, match=r"more than 0\.2 s to decode; send it in fewer"
        ):
            decode_image(data, SIZE, max_seconds=SECONDS)


def test_usual_exif_in_several_segments_is_read() -> None:
    exif = orientation_in_rationals(10_000)

    assert decode_image(exif_in_segments(exif, 5000), SIZE).format == "JPEG"


def test_a_header_longer_than_usual_is_read_elsewhere() -> None:
    data = with_segments(segment(0xE5, bytes(60_000)) * 100)

    assert decode_image(data, SIZE).pixels.tolist() == decode_image(picture(), SIZE).pixels.tolist()


@pytest.mark.parametrize(
    "data",
    [
        exif_in_segments(bytes(3_000_000), 30),
        with_segments(segment(0xE5, b"") * 1_000_000),
        jpeg_of_empty_scans(8000, 8000, MEBIBYTE),
        png_with(png_chunk(b"prIv", b"") * 1_000_000),
        bmp_with_runs(64_000_000, 1, b"\x01\x01\x00\x00"),
        bmp_with_runs(8000, 8000, b"\x01\x01" * 5_000_000),
        tiff_file(
            bytes(1000),
            rgb_fields(8000, 8000, 1) | {273: Field("L", [8, 9] * 500_000), 278: Field("L", [1])},
        ),
    ],
    ids=["EXIF", "segments", "scans", "chunks", "row", "runs", "strips"],
)
def test_pieces_are_not_all_read(data: bytes) -> None:
    with pytest.raises(ImageTooSlowError):
        decode_image(data, SIZE, max_seconds=SECONDS)


def test_avif_with_many_frames_in_its_only_picture_is_ended() -> None:
    flat = picture(size=(3000, 3000), file_format="AVIF", speed=10)

    with pytest.raises(ImageTooSlowError):
        decode_image(with_items(flat, lambda frame: 2000 * frame), SIZE, max_seconds=SECONDS)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit memory")
def test_metadata_that_many_pictures_share_does_not_fill_the_memory() -> None:
    frames = [Image.new("RGB", (64, 64), RED) for _ in range(100)]
    for frame in frames:
        frame.info["exif"] = b"Exif\x00\x00II*\x00\x08\x00\x00\x00" + bytes(6)
    data = file_of(frames[0], "HEIF", save_all=True, append_images=frames[1:])
    long = 10 * MEBIBYTE
    data = with_items(data, lambda item: item + bytes(long) if b"II*" in item else None)

    assert len(data) < 2 * long
    with pytest.raises((BrokenImageError, ImageTooLargeError)):
        decode_image(data, SIZE)


def test_heic_that_crashes_its_decoder_fails_alone() -> None:
    # Found by `make fuzz`: libde265 1.1.0 reads where nothing is.
    data = zlib.decompress(
        base64.b85decode(
            b"c-muNV30{GsVvAy%}i#10tB1!L~d$HB2-v0BPFK@rlue>xr6}?m}KVUgEhK1FfhSI8R0A@225a)nVFXcmlXwaQkk"
            b"H-GRl$-!7^|`Ah8RokFOxJBo}5rBYS2+Q2~(sEVCdvA4r!0^*S>QTaa0hn+OkGMz%(TL{VxQjGdfPoD2*xMx+"
            b"QB>Hq*<WFlJ"
        )
    )

    with pytest.raises(BrokenImageError):
        decode_image(data, SIZE)
    assert decode_image(picture(file_format="HEIF"), SIZE).format == "HEIF"


def test_gif_whose_frame_exceeds_its_screen_has_the_frames_size() -> None:
    data = bytearray(picture(file_format="GIF"))
    frame = data.index(b",", 13 + 3 * 2 ** (1 + (data[10] & 7)))
    data[frame + 5 : frame + 9] = struct.pack("<2H", 16_000, 11_000)

    with pytest.raises(ImageTooLargeError, match="send one of at most 64000000 pixels"):
        decode_image(bytes(data), SIZE)


@pytest.mark.parametrize(
    ("chunk", "reason"),
    [
        (png_chunk(b"iCCP", b"x\x00\x00" + zlib.compress(bytes(2 * MEBIBYTE))), "too large"),
        (png_chunk(b"zTXt", b"x\x00\x00" + zlib.compress(bytes(2 * MEBIBYTE))), "too large"),
        (png_chunk(b"zTXt", b"x\x00\x00" + zlib.compress(bytes(MEBIBYTE))) * 65, "Too much memory"),
    ],
)
def test_text_that_inflates_is_refused(chunk: bytes, reason: str) -> None:
    with pytest.raises(BrokenImageError, match=reason):
        decode_image(png_with(chunk), SIZE)


@pytest.mark.parametrize(("file_format", "start_of_frame"), [("GIF", b","), ("PNG", b"fdAT")])
def test_no_frame_after_the_first_is_looked_at(file_format: str, start_of_frame: bytes) -> None:
    frames = [Image.new("RGB", (64, 48), color) for color in (RED, BLUE)]
    data = file_of(frames[0], file_format, save_all=True, append_images=frames[1:])
    cut_off = data[: data.rindex(start_of_frame) + 4]

    assert decode_image(cut_off, SIZE).pixels[0, 0, 0] > 200


def test_what_a_picture_holds_is_told_in_plain_ascii_and_in_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("a\x1b[31m\nname \u202e" + 1000 * "x")

    monkeypatch.setattr("app.images.pixels_of", fail)

    with pytest.raises(BrokenImageError) as fault:
        decode_image(picture(), SIZE)
    assert "damaged (a\\x1b[31m name \\u202exxx" in str(fault.value)
    assert len(str(fault.value)) < 300
