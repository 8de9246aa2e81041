"""Large photographs, decoded at reduced scale and whole."""

from __future__ import annotations

import io
import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.engines.litert import LiteRTEngine
from app.images import decode_image
from benchmarks.ceiling import SHAPE
from benchmarks.pictures import PHONE, jpeg_of_size

_MOST_PHOTOGRAPHS = 40  # each takes seconds to enlarge and to compress to the right size


class Agreement(NamedTuple):
    """How much the answers change when pictures are decoded whole."""

    pictures: int
    same_label: float
    """Share of the pictures."""
    mean_difference: float
    """Of the first class's probability."""


def reduced(data: bytes) -> NDArray[np.uint8]:
    """Decode as the service does."""
    return decode_image(data, SHAPE[:2]).pixels


def whole(data: bytes) -> NDArray[np.uint8]:
    """Decode every pixel, then resize."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    return np.asarray(image.resize(SHAPE[1::-1], Image.Resampling.BILINEAR))


def milliseconds(
    decode: Callable[[bytes], NDArray[np.uint8]], pictures: list[bytes], seconds: float
) -> float:
    """Return the mean time to decode one picture on one core."""
    source = itertools.cycle(pictures)
    count = 0
    start = time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        decode(next(source))
        count += 1
    return elapsed / count * 1e3


def agreement(model: Path, pictures: Iterator[bytes], cores: int) -> Agreement:
    """Compare the model's answers to pictures decoded at reduced scale and whole."""
    engine = LiteRTEngine(model, SHAPE, cores)
    pairs = [engine.predict([reduced(data), whole(data)]).probabilities for data in pictures]
    answers = np.stack(pairs)
    labels = answers.argmax(axis=2)
    differences = np.abs(answers[:, 0, 0] - answers[:, 1, 0])
    return Agreement(len(pairs), float(np.mean(labels[:, 0] == labels[:, 1])), differences.mean())


def jpegs(folder: Path) -> list[Path]:
    """Return the first JPEGs in and below a folder."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg"})
    return sorted(found)[:_MOST_PHOTOGRAPHS]


def enlarged(photographs: Path) -> Iterator[bytes]:
    """Yield a folder's photographs at a phone's size, with the grain that its sensor adds."""
    random = np.random.default_rng(0)
    for path in jpegs(photographs):
        with Image.open(path) as photograph:
            large = photograph.convert("RGB").resize(
                (PHONE.width, PHONE.height), Image.Resampling.BICUBIC
            )
        grain = random.normal(0, 8, (PHONE.height, PHONE.width, 1)).astype(np.float32)
        noisy = np.clip(np.asarray(large, np.float32) + grain, 0, 255)
        yield jpeg_of_size(Image.fromarray(noisy.astype(np.uint8)), PHONE.bytes)
