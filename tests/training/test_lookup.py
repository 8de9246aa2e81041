from __future__ import annotations

import keras
import numpy as np
import pytest

from training import lookup
from training.lookup import Lookup, Place, on_accelerator

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 9, 9, 3), dtype=np.uint8)


def test_positions_become_pictures() -> None:
    pictures = keras.ops.convert_to_numpy(Lookup(PIXELS)(np.array([4, 0, 4], np.int32)))

    assert pictures.dtype == np.uint8
    np.testing.assert_array_equal(pictures, PIXELS[[4, 0, 4]])


def test_the_table_is_a_variable_that_is_never_trained() -> None:
    layer = Lookup(PIXELS)

    assert [variable.shape for variable in layer.non_trainable_variables] == [PIXELS.shape]
    assert not layer.trainable_variables


@pytest.mark.parametrize(
    ("place", "gpu", "expected"),
    [
        ("auto", None, False),
        ("auto", "gpu:0 H100", True),
        ("accelerator", None, True),
        ("disk", "gpu:0 H100", False),
    ],
)
def test_auto_is_the_accelerator_where_it_is_a_gpu(
    monkeypatch: pytest.MonkeyPatch, place: Place, gpu: str | None, expected: bool
) -> None:
    monkeypatch.setattr(lookup, "gpu_device", lambda: gpu)

    assert on_accelerator(place) == expected
