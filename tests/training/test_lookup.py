from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow

from training import lookup
from training.errors import DeviceError
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


def fail_with(error: Exception) -> Callable[..., None]:
    def make_variable(*_: object, **__: object) -> None:
        raise error

    return make_variable


@pytest.mark.parametrize(
    "error",
    [
        tensorflow.errors.ResourceExhaustedError(None, None, "failed to allocate memory"),
        tensorflow.errors.InternalError(None, None, "Dst tensor is not initialized."),
        RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 3 bytes."),  # JAX
    ],
)
def test_where_there_is_no_room_the_remedy_is_told(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(keras, "Variable", fail_with(error))

    with pytest.raises(
        DeviceError, match=r"no room for the pictures, 0\.0 GB; add --pictures disk"
    ):
        Lookup(PIXELS)


def test_other_faults_stay_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras, "Variable", fail_with(RuntimeError("INTERNAL: no such device")))

    with pytest.raises(RuntimeError, match="no such device"):
        Lookup(PIXELS)


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
