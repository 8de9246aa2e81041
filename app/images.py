"""From the bytes of an image file to pixels: the one way, for training and serving alike."""

from __future__ import annotations

import io
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from app.heic import add_heic_to_pillow, is_heic

MAX_PIXELS = 64_000_000
_PILLOWS_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
_HEIC = "HEIF"
FORMATS = (*_PILLOWS_FORMATS, _HEIC)

# Part of the training cache's key: raise it whenever the same bytes would give other pixels.
DECODING = "pillow-bilinear-squash-2"

_LEAST_DRAFT = 0.8
"""Of the network's side, that libjpeg may leave when it scales a picture down while decoding.

Below 1, since the most common size of photographs here, 500 x 375, would miss a half by a little:
read at 250 x 188, it costs 1.0 ms instead of 1.9 ms (`docs/performance.md` has what that changes).
"""

_ORIENTATION_TAG = 0x0112
_SIDEWAYS = frozenset({5, 6, 7, 8})


class ImageError(Exception):
    """A file that cannot be turned into pixels.

    * ImageError
      + UnsupportedImageError
      + BrokenImageError
      + ImageTooLargeError
    """


class UnsupportedImageError(ImageError):
    """The bytes are not an image in a supported format."""


class BrokenImageError(ImageError):
    """The bytes begin like an image, but are truncated or damaged."""


class ImageTooLargeError(ImageError):
    """The image has more pixels than are decoded."""


class DecodedImage(NamedTuple):
    """Pixels at the network's size, and what the file said of itself."""

    pixels: NDArray[np.uint8]
    """Shape (height, width, 3), RGB, 0 to 255."""
    width: int
    """Of the picture in the file, in pixels, once upright."""
    height: int
    format: str
    """As Pillow names it, such as "JPEG"."""


def decode_image(data: bytes, size: tuple[int, int], max_pixels: int = MAX_PIXELS) -> DecodedImage:
    """Decode an image file, upright and in RGB, resized to `size` whatever its proportions.

    The whole picture is kept (squashed, not cropped), as in the Kaggle pictures that the
    network is trained on. Only the first frame of an animation is read; transparent parts
    are laid on white.

    Args:
        data: The bytes of the file.
        size: Height and width of the pixels returned.
        max_pixels: The most pixels that the file may announce in its header.

    Raises:
        UnsupportedImageError: Not an image, or not in one of `FORMATS`.
        BrokenImageError: Truncated or damaged.
        ImageTooLargeError: More than `max_pixels`.
    """
    with _open(data) as image:
        width, height = image.size
        if width * height > max_pixels:
            raise ImageTooLargeError(
                f"The image has {width} x {height} pixels; send one of at most {max_pixels} pixels."
            )
        file_format = image.format or ""
        try:
            _load(image, size)
            orientation = image.getexif().get(_ORIENTATION_TAG, 1)
            if orientation != 1:
                ImageOps.exif_transpose(image, in_place=True)
            if orientation in _SIDEWAYS:
                width, height = height, width
            pixels = _resized(_to_rgb(image), size)
        except Exception as error:  # Pillow's plugins raise many types for damaged files
            raise BrokenImageError(
                f"The {file_format} image is truncated or damaged ({error}); send it again "
                "from an intact file."
            ) from error
    return DecodedImage(pixels, width, height, file_format)


def _open(data: bytes) -> Image.Image:
    formats: tuple[str, ...] = _PILLOWS_FORMATS
    if is_heic(data):
        add_heic_to_pillow()
        formats = (_HEIC,)
    try:
        return Image.open(io.BytesIO(data), formats=formats)
    except UnidentifiedImageError as error:
        raise UnsupportedImageError(
            f"The file is not an image that can be read; send one of {', '.join(FORMATS)}."
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLargeError(f"The image is too large to be decoded: {error}") from error
    except Exception as error:  # as above
        raise BrokenImageError(
            f"The image's header is damaged ({error}); send it again from an intact file."
        ) from error


def _load(image: Image.Image, size: tuple[int, int]) -> None:
    height, width = size
    # JPEG alone: libjpeg scales by 1/2, 1/4 or 1/8 in its inverse transform, which is antialiased.
    image.draft(None, (math.ceil(_LEAST_DRAFT * width), math.ceil(_LEAST_DRAFT * height)))
    image.load()


def _resized(image: Image.Image, size: tuple[int, int]) -> NDArray[np.uint8]:
    height, width = size
    resized = image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(resized, dtype=np.uint8)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and not image.has_transparency_data:
        return image
    if image.mode.startswith("I"):  # Pillow's own conversion would clip 16 bits, not scale them
        wide = np.asarray(image).clip(0, 65535)
        return Image.fromarray((wide // 256).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")
