"""What a lane does."""

from __future__ import annotations

import contextlib
import socket
import traceback
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.confinement import Order
from app.engines.litert import LiteRTEngine
from app.engines.warmth import Expected, warm_up
from app.images import ImageError, decode_image
from app.lanes.wire import read_message, send_message

FILE, KEPT_FILE, PIXELS = "file", "kept file", "pixels"
"""What a lane is given: a picture's file, one whose pixels are to be sent back, or pixels."""
NARROW, WIDE = "narrow", "wide"
"""The engine by which a lane is told to predict what it was given."""

_PATIENCE_SECONDS = 0.1
"""Of decoding, after which what has been decoded is predicted, and the rest given back: one that
takes long must not keep those behind it, which another lane can take."""


class Loading(NamedTuple):
    """What a lane loads, and how it works."""

    expected: Expected
    order: Order
    threads: int
    """Of a wide lane's other engine, which is for a picture alone."""

    @classmethod
    def told(cls, parts: Any) -> Loading:
        """Make it of what JSON leaves of it."""
        (shape, *output), (size, *limits), threads = parts
        return cls(Expected(tuple(shape), *output), Order(tuple(size), *limits), threads)


class _Decoded:
    """Pictures that have been decoded, or could not be."""

    def __init__(self) -> None:
        self.told: list[tuple[object, float, float]] = []
        """Of each: width, height and format, or its fault, or None of pixels; and when decoding
        began and ended."""
        self.pixels: list[NDArray[np.uint8]] = []
        self.kept: list[bytes] = []

    @property
    def took_long(self) -> bool:
        """Whether the rest of the batch should be given back."""
        return sum(end - begin for _, begin, end in self.told) > _PATIENCE_SECONDS

    def add(self, kind: str, data: bytes, order: Order) -> None:
        """Decode a picture."""
        begin = perf_counter()
        described: object = None
        if kind == PIXELS:
            self.pixels.append(np.frombuffer(data, np.uint8).reshape(*order.size, 3))
        else:
            try:
                pixels, *described = decode_image(data, *order)
                self.pixels.append(pixels)
                if kind == KEPT_FILE:
                    self.kept.append(pixels.tobytes())
            except ImageError as error:
                described = {"error": type(error).__name__, "detail": str(error)}
            except Exception:  # decoders are native code, and memory may be short
                described = {"error": "", "detail": traceback.format_exc()}
        self.told.append((described, begin, perf_counter()))


def engine_of(model: Path, loading: Loading, threads: int) -> LiteRTEngine:
    """Return an engine that has answered.

    Raises:
        ModelCardError: The model is not what its card says.
    """
    engine = LiteRTEngine(model, loading.expected.input_shape, threads)
    warm_up(engine, loading.expected, [1, 2])  # a new size costs it next to nothing
    return engine


def work(
    connection: socket.socket, loading: Loading, narrow: LiteRTEngine, wide: LiteRTEngine
) -> None:
    """Say that the lane is ready once it has answered, and answer until nobody can ask any more.

    Args:
        narrow: The engine for most batches.
        wide: The one for a picture that is alone.
    """
    warm_up(narrow, loading.expected, [1])
    send_message(connection, "ready")
    engines = {NARROW: narrow, WIDE: wide}
    decoded = _Decoded()
    with contextlib.suppress(EOFError, OSError):
        while True:
            kind, blobs = read_message(connection)
            if engine := engines.get(kind):
                _answer(connection, decoded, engine)
                decoded = _Decoded()
            elif not decoded.took_long:
                decoded.add(kind, blobs[0], loading.order)


def _answer(connection: socket.socket, decoded: _Decoded, engine: LiteRTEngine) -> None:
    probabilities = typicality = b""
    fault = ""
    begin = perf_counter()
    if decoded.pixels:
        try:
            answers = engine.predict(decoded.pixels)
        except Exception:  # whatever native code raises
            fault = traceback.format_exc()
        else:
            probabilities = answers.probabilities.tobytes()
            typicality = b"" if answers.typicality is None else answers.typicality.tobytes()
    told = (decoded.told, begin, perf_counter(), fault)
    send_message(connection, told, [probabilities, typicality, *decoded.kept])
