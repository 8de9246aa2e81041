"""Processes that decode what no thread should: each can be ended, and has its share of memory."""

from __future__ import annotations

import atexit
import json
import signal
from functools import cache
from multiprocessing.connection import Pipe
from queue import Empty, LifoQueue
from threading import Lock
from typing import Any, NamedTuple

from app.cores import usable_cores
from app.subprocesses import start_module

_START_SECONDS = 60
_GRACE_SECONDS = 10
"""How late a process's own alarm may be before it is ended from here."""


class EndedError(Exception):
    """The process ended before it answered."""

    def __init__(self, *, overdue: bool) -> None:
        super().__init__()
        self.overdue = overdue
        """Whether the time was over, rather than the decoder at fault."""


class Order(NamedTuple):
    """How to decode a picture: the arguments of `app.images.decode_image`."""

    size: tuple[int, int]
    max_pixels: int
    max_seconds: float


class Answer(NamedTuple):
    """What a process made of a picture."""

    told: dict[str, Any]
    """The picture's description, or its fault, as `app.decoder` has them."""
    pixels: bytes


def decode_confined(data: bytes, order: Order) -> Answer:
    """Have a picture decoded by another process, once one of as many as cores is free.

    Raises:
        EndedError: It took too long, or brought the process down.
        RuntimeError: There is no process to be had.
    """
    decoders = _decoders()
    decoder = decoders.get()
    try:
        if decoder is None or not decoder.is_alive():
            decoder = _Decoder()
        return decoder.decode(data, order)
    finally:
        decoders.put(decoder)


class _Decoder:
    """A process that decodes one picture after another."""

    def __init__(self) -> None:
        self._pipe, theirs = Pipe()
        with theirs:
            self._process = start_module("app.decoder", theirs.fileno())
        try:
            self._receive(_START_SECONDS)
        except EndedError as error:
            self.end()
            raise RuntimeError("A process that decodes pictures does not start.") from error

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def decode(self, data: bytes, order: Order) -> Answer:
        try:
            self._send(json.dumps(order).encode())
            self._send(data)
            told = json.loads(self._receive(order.max_seconds + _GRACE_SECONDS))
            return Answer(told, self._receive(_GRACE_SECONDS))
        except BaseException:
            self.end()
            raise

    def _send(self, data: bytes) -> None:
        try:
            self._pipe.send_bytes(data)
        except OSError as error:  # it ended on what was sent before
            raise self._ended() from error

    def _receive(self, seconds: float) -> bytes:
        try:
            if self._pipe.poll(seconds):
                return self._pipe.recv_bytes()
        except (EOFError, OSError) as error:
            raise self._ended() from error
        raise EndedError(overdue=True)

    def _ended(self) -> EndedError:
        return EndedError(overdue=self._process.wait() == -signal.SIGALRM)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._pipe.close()


_starting = Lock()
"""Held while they are made: a cache alone would let two threads that come first make two."""


def _decoders() -> LifoQueue[_Decoder | None]:
    with _starting:
        return _made_decoders()


@cache
def _made_decoders() -> LifoQueue[_Decoder | None]:
    """Return those that are free; None stands for one that has not been started."""
    decoders: LifoQueue[_Decoder | None] = LifoQueue()
    for _ in range(usable_cores()):
        decoders.put(None)
    atexit.register(_end, decoders)
    return decoders


def _end(decoders: LifoQueue[_Decoder | None]) -> None:
    while True:
        try:
            decoder = decoders.get_nowait()
        except Empty:
            return
        if decoder is not None:
            decoder.end()
