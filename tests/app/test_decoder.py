from __future__ import annotations

import json
import signal
import subprocess
import sys
import zlib
from collections.abc import Iterator
from multiprocessing.connection import Connection, Pipe
from typing import Any

import psutil
import pytest

from app.confinement import Order
from tests.app.pictures import picture
from tests.app.tiff import START, Field, rgb_fields, tiff_file

MEBIBYTE = 2**20


@pytest.fixture
def pipe() -> Iterator[Connection]:
    """Start the process, and see that it ends in peace."""
    ours, theirs = Pipe()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.decoder", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stderr=subprocess.PIPE,
        )
    with process:
        with ours:
            assert ours.recv_bytes() == b"ready"
            yield ours
        _, complaints = process.communicate()
        assert (process.returncode, complaints) == (0, b"")


def decode(pipe: Connection, data: bytes) -> dict[str, Any]:
    pipe.send_bytes(json.dumps(Order((8, 8), 64_000_000, 60)).encode())
    pipe.send_bytes(data)
    told: dict[str, Any] = json.loads(pipe.recv_bytes())
    assert len(pipe.recv_bytes()) == (0 if "error" in told else 8 * 8 * 3)
    return told


def test_pictures_are_decoded_until_the_pipe_is_closed(pipe: Connection) -> None:
    assert decode(pipe, picture(file_format="HEIF"))["format"] == "HEIF"
    assert decode(pipe, b"no picture")["error"] == "UnsupportedImageError"
    assert decode(pipe, picture(file_format="AVIF"))["format"] == "AVIF"


def test_an_interrupted_service_finishes_what_it_decodes(pipe: Connection) -> None:
    (process,) = psutil.Process().children()
    process.send_signal(signal.SIGINT)

    assert decode(pipe, picture())["format"] == "JPEG"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit memory")
def test_memory_is_limited(pipe: Connection) -> None:
    side = 17_000  # a tile of 867 MB, for a picture of 64 x 48
    tile = zlib.compress(bytes(3 * side * 64))
    tiles = {322: side, 323: side, 324: START, 325: len(tile)}
    fields = {tag: Field("L", [value]) for tag, value in tiles.items()}
    data = tiff_file(tile, rgb_fields(64, 48, compression=8) | fields)

    assert decode(pipe, data)["error"] == "BrokenImageError"
    (process,) = psutil.Process().children()
    assert process.memory_info().rss < 200 * MEBIBYTE


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit memory")
def test_a_picture_that_needs_more_memory_is_too_large(pipe: Connection) -> None:
    flat = picture(size=(16_000, 4000), file_format="WEBP", lossless=True, quality=0, method=0)

    assert decode(pipe, flat)["error"] == "ImageTooLargeError"
    assert decode(pipe, picture())["format"] == "JPEG"
