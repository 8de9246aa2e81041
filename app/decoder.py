"""The process that `app.confinement` starts: it decodes pictures until its pipe is closed."""

from __future__ import annotations

import io
import json
import resource
import signal
import sys
from multiprocessing.connection import Connection
from typing import Any

from app.images import DecodedImage, ImageError, decode_here

_MOST_BYTES = 768 * 2**20
"""Of memory beside code: what a picture of 64 million pixels takes in HEIC, and a third more."""


def main() -> None:
    """Decode what comes through the pipe whose number is the only argument."""
    _confine()
    with Connection(int(sys.argv[1])) as pipe:
        pipe.send_bytes(b"ready")
        while True:
            try:
                (height, width), max_pixels, max_seconds = json.loads(pipe.recv_bytes())
                data = pipe.recv_bytes()
            except EOFError:
                return
            signal.setitimer(signal.ITIMER_REAL, max_seconds)
            told, pixels = _decode(data, (height, width), max_pixels)
            signal.setitimer(signal.ITIMER_REAL, 0)
            pipe.send_bytes(json.dumps(told).encode())
            pipe.send_bytes(pixels)


def _confine() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (_MOST_BYTES, _MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Which a whole process group is sent at times.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the service finishes what it has accepted
    # The alarm's default is to end the process, whatever code it is in.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])


def _decode(data: bytes, size: tuple[int, int], max_pixels: int) -> tuple[dict[str, Any], bytes]:
    try:
        decoded = decode_here(io.BytesIO(data), size, max_pixels)
    except ImageError as error:
        return {"error": type(error).__name__, "detail": str(error)}, b""
    pixels, *described = decoded
    return dict(zip(DecodedImage._fields[1:], described, strict=True)), pixels.tobytes()


if __name__ == "__main__":
    main()
