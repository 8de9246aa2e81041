from __future__ import annotations

import json

import numpy as np
import pytest

from app.v2.errors import InvalidInferenceError
from app.v2.numerals import lift, uint8_values

SHAPE = (3, 40, 50, 3)
VALUES = np.random.default_rng(0).integers(0, 256, SHAPE, dtype=np.uint8)


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("data", [VALUES.ravel().tolist(), VALUES.tolist()], ids=["flat", "nested"])
def test_numbers_are_those_that_json_holds(data: list, indent: int | None) -> None:
    text = json.dumps({"inputs": [{"data": data, "name": "pixels"}], "id": "1"}, indent=indent)

    rest, array = lift(text.encode())

    assert json.loads(rest) == {"inputs": [{"data": None, "name": "pixels"}], "id": "1"}
    assert array is not None
    assert uint8_values(array, SHAPE) == VALUES.tobytes()


def test_more_than_a_slice_is_read_to_its_end() -> None:
    values = np.arange(100_000, dtype=np.uint8)

    array = json.dumps(values.tolist()).encode()

    assert len(array) > 4 * 65_536
    assert uint8_values(array, [100_000]) == values.tobytes()


@pytest.mark.parametrize("text", ['{"data": ["QQ=="]}', '{"data": null}', "{}", '{"data":[', ""])
def test_what_holds_no_numbers_is_left_as_it_is(text: str) -> None:
    assert lift(text.encode()) == (text.encode(), None)


@pytest.mark.parametrize("count", [3, 5])
def test_other_counts_than_the_shape_says_are_refused(count: int) -> None:
    with pytest.raises(InvalidInferenceError, match=f"holds {count} numbers.* send 4 numbers"):
        uint8_values(json.dumps([1] * count).encode(), [2, 2])


@pytest.mark.parametrize(
    "array", ["[[1,2,3,4]]", "[[1],[2],[3],[4]]", "[1,2],[3,4]", "[[1,2],3,4]"]
)
def test_other_nesting_than_the_shape_says_is_refused(array: str) -> None:
    with pytest.raises(InvalidInferenceError, match="nested otherwise"):
        uint8_values(array.encode(), [2, 2])


@pytest.mark.parametrize(
    "array",
    [
        *("[256]", "[-1]", "[1.0]", "[1e2]", "[null]", "[NaN]", "[0x1]"),
        *("[1,]", "[,1]", "[1 2]", "[1,,2]", "[1][2]", f"[{'9' * 5000}]"),
    ],
)
def test_what_is_no_uint8_is_refused(array: str) -> None:
    with pytest.raises(InvalidInferenceError, match=r"whole numbers from 0 to 255.*\.$"):
        uint8_values(array.encode(), [1])


def test_spaces_hold_nobody_up() -> None:
    text = b'{"data":' + b" " * 1_000_000 + b"[1]}"

    assert lift(text) == (text, None)
