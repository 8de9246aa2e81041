"""The numbers of a tensor in JSON, apart from the rest of the request.

Python's JSON parsers make an object of every number, and hold the interpreter while they do: half a
second for 17 MB, in which no thread runs. Here, numbers become bytes slice by slice.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence

from app.v2.errors import InvalidInferenceError

_DATA = re.compile(rb'"data"\s{0,64}:\s{0,64}(?=\[)')  # bounded, or megabytes of spaces hold all
_SLICE_BYTES = 65_536
_SPACES_FOR_BRACKETS = bytes.maketrans(b"[]", b"  ")
_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"[]"))


def lift(text: bytes) -> tuple[bytes, bytes | None]:
    """Take the first array of numbers that is called `data` out of a JSON object.

    Returns:
        The text with null in its place, and the array; the text as it was and None, where there is
        no such array.
    """
    name = _DATA.search(text)
    if name is None:
        return text, None
    start = name.end()
    # No number holds a quote or a brace: the array ends before the next one.
    limits = (text.find(b'"', start), text.find(b"}", start))
    end = text.rfind(b"]", start, min((limit for limit in limits if limit >= 0), default=start)) + 1
    if not end:
        return text, None
    return b"%bnull%b" % (text[:start], text[end:]), text[start:end]


def uint8_values(array: bytes, shape: Sequence[int]) -> bytes:
    """Parse an array of numbers, flat or nested (section Tensor Data).

    Returns:
        The numbers in row-major order, one byte each.

    Raises:
        InvalidInferenceError: It has another shape, or holds what is not a uint8.
    """
    values, brackets = bytearray(), bytearray()
    start = 0
    while start < len(array):
        end = array.find(b",", start + _SLICE_BYTES)
        part = array[start : len(array) if end < 0 else end]
        brackets += part.translate(None, _ALL_BUT_BRACKETS)
        values += _flat_values(part.translate(_SPACES_FOR_BRACKETS))
        start += len(part) + 1
    if len(values) != math.prod(shape) or brackets not in (b"[]", _nested_brackets(shape)):
        raise InvalidInferenceError(
            f"The data holds {len(values)} numbers, or is nested otherwise than the shape "
            f"{list(shape)} says; send {math.prod(shape)} numbers, flat or nested that way."
        )
    return bytes(values)


def _flat_values(text: bytes) -> bytes:
    try:
        return bytes(json.loads(b"[%b]" % text))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInferenceError(
            f"The data is no array of whole numbers from 0 to 255 ({error}); send such numbers."
        ) from error


def _nested_brackets(shape: Sequence[int]) -> bytes:
    brackets = b"[]"
    for size in reversed(shape[:-1]):
        brackets = b"[%b]" % (brackets * size)
    return brackets
