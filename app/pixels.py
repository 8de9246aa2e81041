"""From a decoded picture to an array, at the network's size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_REDUCING_GAP = 2.0
"""A picture is averaged by whole factors until it is this many times the size, then resized."""
_BAND_PIXELS = 1_000_000
"""A larger picture is converted band by band, so that it never takes memory twice."""


def pixels_of(image: Image.Image, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a loaded picture in RGB at `size` (height, width), on white where transparent.

    Shape (height, width, 3), 0 to 255.
    """
    height, width = size
    factors = (_factor(image.width, width), _factor(image.height, height))
    box = (0.0, 0.0, image.width / factors[0], image.height / factors[1])
    reduced = _reduced_to_rgb(image, factors)
    resized = reduced.resize((width, height), Image.Resampling.BILINEAR, box)
    return np.asarray(resized, dtype=np.uint8)


def _factor(length: int, target: int) -> int:
    return int(length / target / _REDUCING_GAP) or 1


def _reduced_to_rgb(image: Image.Image, factors: tuple[int, int]) -> Image.Image:
    across, down = factors
    if image.width * image.height <= _BAND_PIXELS or _is_rgb(image):
        return _reduced(_to_rgb(image), factors)
    reduced = Image.new("RGB", (-(-image.width // across), -(-image.height // down)))
    rows = max(1, _BAND_PIXELS // image.width // down) * down
    for top in range(0, image.height, rows):
        band = image.crop((0, top, image.width, min(top + rows, image.height)))
        reduced.paste(_reduced(_to_rgb(band), factors), (0, top // down))
    return reduced


def _reduced(image: Image.Image, factors: tuple[int, int]) -> Image.Image:
    return image if factors == (1, 1) else image.reduce(factors)


def _is_rgb(image: Image.Image) -> bool:
    return image.mode == "RGB" and not image.has_transparency_data


def _to_rgb(image: Image.Image) -> Image.Image:
    if _is_rgb(image):
        return image
    if image.mode.startswith("I"):  # Pillow's own conversion would clip 16 bits, not scale them
        wide = np.asarray(image).clip(0, 65535)
        return Image.fromarray((wide // 256).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")
