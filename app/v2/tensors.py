"""Tensors of pictures, as the protocol sends them."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from app.images import DecodedImage
from app.v2.errors import InvalidInferenceError

_LENGTH_BYTES = 4


def decoded_images(values: bytes, shape: Sequence[int]) -> list[DecodedImage]:
    """Return the pictures of a uint8 tensor.

    Args:
        values: In row-major order, one byte each (Binary Tensor Data Extension, Overview).
        shape: (n, height, width, 3).

    Raises:
        InvalidInferenceError: There are more or fewer values than the shape says.
    """
    if len(values) != math.prod(shape):
        raise InvalidInferenceError(
            f"The tensor has {len(values)} bytes; a uint8 tensor of the shape {list(shape)} has "
            f"{math.prod(shape)}."
        )
    _, height, width, _ = shape
    pixels = np.frombuffer(values, np.uint8).reshape(shape)
    return [DecodedImage(each, width, height, format="") for each in pixels]


def binary_elements(data: bytes, count: int) -> list[bytes]:
    """Split a binary BYTES tensor, whose elements each follow their length.

    Args:
        data: Of each element, 4 bytes with its length, little-endian, and then its bytes (Binary
            Tensor Data Extension, Overview).
        count: How many there are.

    Raises:
        InvalidInferenceError: The lengths do not add up.
    """
    elements = []
    start = 0
    for _ in range(count):
        length = int.from_bytes(data[start : start + _LENGTH_BYTES], "little")
        start += _LENGTH_BYTES
        elements.append(data[start : start + length])
        start += length
    if start != len(data):
        raise InvalidInferenceError(
            f"The tensor's {len(data)} bytes are not those of {count} elements; send, of each, its "
            "length as 4 bytes, little-endian, and then its bytes."
        )
    return elements


def base64_elements(data: Sequence[Any] | None, count: int) -> list[bytes]:
    """Decode a BYTES tensor in JSON, where bytes that are no text travel as base64.

    The specification leaves open how; this is what MLServer and KServe's proxy do as well.

    Args:
        data: Strings (RFC 4648, section 4).
        count: How many there are.

    Raises:
        InvalidInferenceError: There are others, or what is not base64.
    """
    if data is None or len(data) != count:
        raise InvalidInferenceError(
            f"The data is no array of {count} elements, as the shape says; send so many files, "
            "each as a string of base64."
        )
    try:
        return [base64.b64decode(each, validate=True) for each in data]
    except (binascii.Error, TypeError, ValueError) as error:
        raise InvalidInferenceError(
            f"The data is not base64 ({error}); send each file as a string of base64, or all of "
            "them as binary data."
        ) from error
