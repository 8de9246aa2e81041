"""The process that lanes are forked from, once it has loaded the model.

Forked, they share the memory of the network's kernels, and another one costs milliseconds. It has
one thread: to fork a process of several may leave locks that nobody opens.
"""

from __future__ import annotations

import gc
import io
import json
import os
import signal
import socket
import sys
from pathlib import Path
from time import monotonic, sleep

from PIL import Image

from app.errors import StartupError
from app.images import decode_image
from app.lanes.wire import read_message, send_message
from app.lanes.work import Loading, engine_of, work

_REQUEST_BYTES = 64
_ENDING_SECONDS = 60.0
_PAUSE_SECONDS = 0.02


def main() -> None:
    """Fork a lane whenever that is asked for, through the socket that the first argument numbers.

    The second argument numbers the model's file.
    """
    # Which a whole process group is sent at times.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the service finishes what it has accepted
    model = Path("/dev/fd", sys.argv[2])
    with socket.socket(fileno=int(sys.argv[1])) as control:
        loading = Loading.told(read_message(control).told)
        try:
            engine = engine_of(model, loading, threads=1)
        except StartupError as error:
            send_message(control, str(error))
            return
        except Exception as error:  # what runs models raises many types
            fault = f"The model cannot be run ({type(error).__name__}: {error}); export it again."
            send_message(control, fault)
            return
        _decode_once(loading)
        send_message(control, "")
        gc.freeze()
        lanes: set[int] = set()
        while True:
            request, descriptors, _, _ = socket.recv_fds(control, _REQUEST_BYTES, 1)
            if not request:
                break
            wide, replaced = json.loads(request)
            status = os.waitpid(replaced, 0)[1] if replaced in lanes else None
            lanes.discard(replaced)
            try:
                lane = os.fork()
            except OSError as error:  # there may be room for another one later
                os.close(descriptors[0])
                send_message(control, [0, status, str(error)])
                continue
            if not lane:
                control.close()
                with socket.socket(fileno=descriptors[0]) as connection:
                    wide_engine = engine_of(model, loading, loading.threads) if wide else engine
                    work(connection, loading, engine, wide_engine)
                return
            lanes.add(lane)
            os.close(descriptors[0])
            send_message(control, [lane, status, ""])
    _take_leave(lanes)


def _decode_once(loading: Loading) -> None:
    """Let Pillow import what it imports at its first picture, for all lanes."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG")
    decode_image(file.getvalue(), *loading.order)


def _take_leave(lanes: set[int]) -> None:
    """Return once all lanes have ended, which they do when nobody can ask them any more."""
    end = monotonic() + _ENDING_SECONDS
    while lanes:
        lanes -= {lane for lane in lanes if os.waitpid(lane, os.WNOHANG)[0]}
        if lanes and monotonic() > end:  # they hang
            for lane in lanes:
                os.kill(lane, signal.SIGKILL)
        sleep(_PAUSE_SECONDS)


if __name__ == "__main__":
    main()
