from __future__ import annotations

import struct

import numpy as np
import pytest

from app.v2.errors import InvalidInferenceError
from app.v2.tensors import base64_elements, binary_elements, decoded_images


def test_pixels_keep_their_order() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3), dtype=np.uint8)

    images = decoded_images(pixels.tobytes(), (2, 4, 5, 3))

    assert np.array_equal(np.stack([image.pixels for image in images]), pixels)
    assert (images[0].width, images[0].height) == (5, 4)


@pytest.mark.parametrize("size", [0, 11, 13])
def test_other_sizes_than_the_shape_says_are_refused(size: int) -> None:
    with pytest.raises(InvalidInferenceError, match=f"has {size} bytes; .* has 12"):
        decoded_images(bytes(size), (1, 2, 2, 3))


def test_elements_are_found_by_their_lengths() -> None:
    elements = [b"", b"a", b"b" * 300]
    data = b"".join(struct.pack("<I", len(element)) + element for element in elements)

    assert binary_elements(data, 3) == elements


@pytest.mark.parametrize(
    "data",
    [b"", b"\x01", b"\x01\0\0\0", b"\x01\0\0\0ab", b"\xff\xff\xff\xffab", b"\0\0\0\0\0\0\0\0"],
)
def test_lengths_that_do_not_add_up_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidInferenceError, match="are not those of 1 elements"):
        binary_elements(data, 1)


def test_base64_is_decoded() -> None:
    assert base64_elements(["", "/9j/", "AA=="], 3) == [b"", b"\xff\xd8\xff", b"\0"]


@pytest.mark.parametrize("data", [["%"], ["AA=\n="], ["A"], ["é"], [1], [None], [["AA=="]]])
def test_what_is_not_base64_is_refused(data: list) -> None:
    with pytest.raises(InvalidInferenceError, match="is not base64"):
        base64_elements(data, 1)


@pytest.mark.parametrize("data", [None, [], ["AA==", "AA=="]])
def test_other_numbers_of_elements_are_refused(data: list | None) -> None:
    with pytest.raises(InvalidInferenceError, match="no array of 1 elements"):
        base64_elements(data, 1)
