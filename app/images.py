"""From the bytes of an image file to pixels: the one way, for training and serving alike."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from app.bounds import bound, check_exif, is_bounded
from app.confinement import EndedError, Order, decode_confined
from app.pillow import FORMATS, MAX_PIXELS, open_picture
from app.pixels import pixels_of
from app.source import OverdueError, Source, SourceError, UnusualError

MAX_SECONDS = 5.0

# Part of the training cache's key: raise it whenever the same bytes would give other pixels.
DECODING = "pillow-bilinear-squash-2"

_LEAST_DRAFT = 0.8
"""Of the network's side, that libjpeg may leave when it scales a picture down while decoding.

Below 1, since the most common size of photographs here, 500 x 375, would miss a half by a little:
read at 250 x 188, it costs 1.0 ms instead of 1.9 ms (`docs/performance.md` has what that changes).
"""

_ORIENTATION_TAG = 0x0112
_SIDEWAYS = frozenset({5, 6, 7, 8})
_LONGEST_REASON = 200
_TOO_MUCH_MEMORY = "Decoding the image takes too much memory; send it in fewer pixels."


class ImageError(Exception):
    """A file that cannot be turned into pixels.

    * ImageError
      + UnsupportedImageError
      + BrokenImageError
      + ImageTooLargeError
      + ImageTooSlowError
    """


class UnsupportedImageError(ImageError):
    """The bytes are not an image in a supported format."""


class BrokenImageError(ImageError):
    """The bytes begin like an image, but are truncated or damaged."""


class ImageTooLargeError(ImageError):
    """The image has more pixels, or takes more memory, than is decoded."""


class ImageTooSlowError(ImageError):
    """The image takes longer to decode than any may."""


class DecodedImage(NamedTuple):
    """Pixels at the network's size, and what the file said of itself."""

    pixels: NDArray[np.uint8]
    """Shape (height, width, 3), RGB, 0 to 255."""
    width: int
    """Of the picture in the file, in pixels, once upright."""
    height: int
    format: str
    """As Pillow names it, such as "JPEG"."""


def decode_image(
    data: bytes,
    size: tuple[int, int],
    max_pixels: int = MAX_PIXELS,
    max_seconds: float = MAX_SECONDS,
) -> DecodedImage:
    """Decode an image file, upright and in RGB, resized to `size` whatever its proportions.

    The whole picture is kept (squashed, not cropped), as in the Kaggle pictures that the
    network is trained on. Only the first frame of an animation is read; transparent parts
    are laid on white.

    Files whose cost nothing bounds are decoded by another process (`docs/limits.md` tells why).

    Args:
        data: The bytes of the file.
        size: Height and width of the pixels returned.
        max_pixels: The most pixels that the file may announce in its header.
        max_seconds: The longest that decoding may take.

    Raises:
        UnsupportedImageError: Not an image, or not in one of `FORMATS`.
        BrokenImageError: Truncated or damaged.
        ImageTooLargeError: More than `max_pixels`, or too much for memory.
        ImageTooSlowError: More than `max_seconds`.
    """
    with _timely(max_seconds):
        left = max_seconds
        if is_bounded(data):
            source = Source(data, max_seconds)
            with suppress(UnusualError):
                return decode_here(source, size, max_pixels)
            left = source.seconds_left()
        return _decode_elsewhere(data, Order(size, max_pixels, left))


def decode_apart(
    data: bytes, size: tuple[int, int], max_pixels: int, max_seconds: float
) -> DecodedImage:
    """Decode as `decode_image` does, but in another process, whatever the file.

    For processes that none may bring down.

    Raises:
        ImageError: As `decode_image` does.
    """
    with _timely(max_seconds):
        return _decode_elsewhere(data, Order(size, max_pixels, max_seconds))


def decode_here(file: io.BytesIO, size: tuple[int, int], max_pixels: int) -> DecodedImage:
    """Decode as `decode_image` does, in this thread.

    Args:
        file: Bounds what decoding takes if it is a Source; else nothing does.
        size: As in `decode_image`.
        max_pixels: As in `decode_image`.

    Raises:
        ImageError: As `decode_image` does, but for ImageTooSlowError.
        SourceError: The file is a Source, and gives no more.
    """
    with _open(file, max_pixels) as image:
        width, height = image.size
        if width * height > max_pixels:
            raise ImageTooLargeError(
                f"The image has {width} x {height} pixels; send one of at most {max_pixels} pixels."
            )
        file_format = image.format or ""
        try:
            if isinstance(file, Source):
                bound(image, file)
            _load(image, size)
            if isinstance(file, Source):
                check_exif(image)
            orientation = image.getexif().get(_ORIENTATION_TAG, 1)
            if orientation != 1:
                ImageOps.exif_transpose(image, in_place=True)
            if orientation in _SIDEWAYS:
                width, height = height, width
            pixels = pixels_of(image, size)
        except SourceError:
            raise
        except MemoryError as error:
            raise ImageTooLargeError(_TOO_MUCH_MEMORY) from error
        except Exception as error:  # Pillow's plugins raise many types for damaged files
            raise BrokenImageError(
                f"The {file_format} image is truncated or damaged ({_reason(error)}); send it "
                "again from an intact file."
            ) from error
    return DecodedImage(pixels, width, height, file_format)


@contextmanager
def _timely(max_seconds: float) -> Iterator[None]:
    try:
        yield
    except OverdueError as error:
        raise ImageTooSlowError(
            f"The image takes more than {max_seconds:g} s to decode; send it in fewer pixels, or "
            "as a plain JPEG."
        ) from error


def _open(file: io.BytesIO, max_pixels: int) -> Image.Image:
    try:
        return open_picture(file)
    except UnidentifiedImageError as error:
        raise UnsupportedImageError(
            f"The file is not an image that can be read; send one of {', '.join(FORMATS)}."
        ) from error
    except Image.DecompressionBombError as error:
        raise ImageTooLargeError(
            f"The image is too large to be decoded; send one of at most {max_pixels} pixels."
        ) from error
    except SourceError:
        raise
    except MemoryError as error:
        raise ImageTooLargeError(_TOO_MUCH_MEMORY) from error
    except Exception as error:  # as above
        raise BrokenImageError(
            f"The image's header is damaged ({_reason(error)}); send it again from an intact file."
        ) from error


def _reason(error: Exception) -> str:
    """Return what a decoder says, short and without a byte of the picture that is not plain."""
    reason = " ".join(str(error).split()).encode("unicode_escape").decode("ascii")
    return reason[:_LONGEST_REASON]


def _load(image: Image.Image, size: tuple[int, int]) -> None:
    height, width = size
    # JPEG alone: libjpeg scales by 1/2, 1/4 or 1/8 in its inverse transform, which is antialiased.
    image.draft(None, (math.ceil(_LEAST_DRAFT * width), math.ceil(_LEAST_DRAFT * height)))
    image.load()


def _decode_elsewhere(data: bytes, order: Order) -> DecodedImage:
    try:
        answer = decode_confined(data, order)
    except EndedError as error:
        if error.overdue:
            raise OverdueError from error
        raise BrokenImageError(
            "The image ended its decoder; send it again from an intact file, or as a plain JPEG."
        ) from error
    if kind := answer.told.get("error"):
        raise image_error(kind, answer.told["detail"])
    pixels = np.frombuffer(answer.pixels, np.uint8).reshape(*order.size, 3)
    return DecodedImage(pixels=pixels, **answer.told)


def image_error(name: str, detail: str) -> ImageError:
    """Return the error of that name, which another process tells of."""
    return _ERRORS[name](detail)


_ERRORS = {
    error.__name__: error
    for error in (
        UnsupportedImageError,
        BrokenImageError,
        ImageTooLargeError,
        ImageTooSlowError,
    )
}
