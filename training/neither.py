"""Pictures that show none of the classes, drawn here, to measure how well they are told apart."""

from __future__ import annotations

import io
import math
import string
from collections.abc import Callable

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from app.images import decode_image

Draw = Callable[[np.random.Generator, int], NDArray[np.uint8]]
"""From a source of random numbers and a side in pixels to a picture (side, side, 3)."""


def draw_neither(kind: str, count: int, side: int, seed: int = 0) -> NDArray[np.uint8]:
    """Draw pictures of one of `KINDS`: shape (count, side, side, 3), the same for the same seed."""
    random = np.random.default_rng((seed, *kind.encode()))
    return np.stack([KINDS[kind](random, side) for _ in range(count)])


def _colour(random: np.random.Generator) -> NDArray[np.float64]:
    return random.uniform(0, 255, 3)


def _plain(random: np.random.Generator, side: int) -> NDArray[np.uint8]:
    return np.broadcast_to(_colour(random).astype(np.uint8), (side, side, 3)).copy()


def _noise(random: np.random.Generator, side: int) -> NDArray[np.uint8]:
    """From white noise to clouds: its power falls with the frequency, by a random exponent."""
    spectrum = np.fft.fft2(random.normal(size=(side, side, 3)), axes=(0, 1))
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None, :])
    frequency[0, 0] = 1 / side
    spectrum /= frequency[..., None] ** random.uniform(0, 2)
    waves = np.fft.ifft2(spectrum, axes=(0, 1)).real
    if random.random() < 0.3:
        waves = np.repeat(waves[..., :1], 3, axis=2)
    waves = (waves - waves.mean((0, 1))) / waves.std((0, 1))
    return _clipped(_colour(random) + random.uniform(20, 80) * waves)


def _texture(random: np.random.Generator, side: int) -> NDArray[np.uint8]:
    """Stripes, checks, rings and cells, in two colours."""
    rows, columns = np.mgrid[:side, :side] / side
    angle = random.uniform(0, math.pi)
    along = rows * math.cos(angle) + columns * math.sin(angle)
    across = columns * math.cos(angle) - rows * math.sin(angle)
    frequency = random.uniform(3, 40) * math.tau
    match random.integers(4):
        case 0:
            pattern = np.sin(frequency * along)
        case 1:
            pattern = np.sign(np.sin(frequency * along) * np.sin(frequency * across))
        case 2:
            top, left = random.random(2)
            pattern = np.sin(frequency * np.hypot(rows - top, columns - left))
        case _:
            points = random.random((int(random.integers(10, 80)), 2, 1, 1))
            distances = np.hypot(rows - points[:, 0], columns - points[:, 1])
            pattern = np.sin(distances.argmin(axis=0) * 7.0)
    weight = (pattern[..., None] + 1) / 2
    return _clipped(weight * _colour(random) + (1 - weight) * _colour(random))


def _text(random: np.random.Generator, side: int) -> NDArray[np.uint8]:
    """A page of words that mean nothing."""
    dark, light = random.integers(0, 90, 3), random.integers(170, 256, 3)
    ink, paper = (dark, light) if random.random() < 0.8 else (light, dark)
    size = int(random.integers(9, 40))
    image = Image.new("RGB", (side, side), tuple(map(int, paper)))
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size)
    for top in range(size // 2, side, round(1.3 * size)):
        draw.text((size // 2, top), _line(random), fill=tuple(map(int, ink)), font=font)
    return np.asarray(image)


def _line(random: np.random.Generator) -> str:
    letters = random.choice(list(string.ascii_letters + string.digits), (12, 9))
    return " ".join("".join(word[: random.integers(1, 10)]) for word in letters)


def _chart(random: np.random.Generator, side: int) -> NDArray[np.uint8]:
    figure = Figure(figsize=(side / 60, side / 60), dpi=60)
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    values = random.uniform(0.1, 1, int(random.integers(3, 12)))
    match random.integers(4):
        case 0:
            axes.bar(range(len(values)), values, color=random.random(3))
        case 1:
            axes.plot(random.normal(size=(30, int(random.integers(1, 5)))).cumsum(axis=0))
        case 2:
            across, along = random.normal(size=(2, 60))
            axes.scatter(across, along, c=random.random(60))
        case _:
            axes.pie(values)
    axes.set_title(_line(random)[:12])
    file = io.BytesIO()
    figure.savefig(file)
    return decode_image(file.getvalue(), (side, side)).pixels


def _clipped(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    return values.clip(0, 255).astype(np.uint8)


KINDS: dict[str, Draw] = {
    "plain colours": _plain,
    "noise": _noise,
    "textures": _texture,
    "text": _text,
    "charts": _chart,
}
