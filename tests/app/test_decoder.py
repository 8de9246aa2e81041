from __future__ import annotations

import json
import signal
import subprocess
import sys
import zlib
from collections.abc import Iterator
from multiprocessing.connection import Connection, Pipe
from typing import Any, NamedTuple

import psutil
import pytest

from app.confinement import Order
from tests.app.pictures import picture
from tests.app.tiff import START, Field, rgb_fields, tiff_file

MEBIBYTE = 2**20


class Decoder(NamedTuple):
    pipe: Connection
    system: psutil.Process

    def decode(self, data: bytes) -> dict[str, Any]:
        self.pipe.send_bytes(json.dumps(Order((8, 8), 64_000_000, 60)).encode())
        self.pipe.send_bytes(data)
        told: dict[str, Any] = json.loads(self.pipe.recv_bytes())
        assert len(self.pipe.recv_bytes()) == (0 if "error" in told else 8 * 8 * 3)
        return told


@pytest.fixture
def process() -> Iterator[Decoder]:
    """Start a process, and see that it ends in peace."""
    ours, theirs = Pipe()
    with theirs:
        running = subprocess.Popen(
            [sys.executable, "-m", "app.decoder", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stderr=subprocess.PIPE,
        )
    with running:
        with ours:
            assert ours.recv_bytes() == b"ready"
            yield Decoder(ours, psutil.Process(running.pid))
        _, complaints = running.communicate()
        assert (running.returncode, complaints) == (0, b"")


def test_pictures_are_decoded_until_the_pipe_is_closed(process: Decoder) -> None:
    assert process.decode(picture(file_format="HEIF"))["format"] == "HEIF"
    assert process.decode(b"no picture")["error"] == "UnsupportedImageError"
    assert process.decode(picture(file_format="AVIF"))["format"] == "AVIF"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_service_that_ends_finishes_what_it_decodes(
    process: Decoder, number: signal.Signals
) -> None:
    process.system.send_signal(number)

    assert process.decode(picture())["format"] == "JPEG"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit memory")
def test_memory_is_limited(process: Decoder) -> None:
    side = 17_000  # a tile of 867 MB, for a picture of 64 x 48
    tile = zlib.compress(bytes(3 * side * 64))
    tiles = {322: side, 323: side, 324: START, 325: len(tile)}
    fields = {tag: Field("L", [value]) for tag, value in tiles.items()}
    data = tiff_file(tile, rgb_fields(64, 48, compression=8) | fields)

    assert process.decode(data)["error"] == "BrokenImageError"
    assert process.system.memory_info().rss < 200 * MEBIBYTE


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit memory")
def test_a_picture_that_needs_more_memory_is_too_large(process: Decoder) -> None:
    flat = picture(size=(16_000, 4000), file_format="WEBP", lossless=True, quality=0, method=0)

    assert process.decode(flat)["error"] == "ImageTooLargeError"
    assert process.decode(picture())["format"] == "JPEG"
