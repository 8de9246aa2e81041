from __future__ import annotations

import keras
import pytest

from training import precision
from training.precision import gains_from_xla, precision_scope, resolve_precision


@pytest.mark.parametrize(
    ("gpu", "bfloat16", "policy", "xla"),
    [
        (False, False, "float32", False),
        (False, True, "mixed_bfloat16", False),
        (True, False, "mixed_bfloat16", True),
    ],
)
def test_auto_takes_what_the_hardware_does_fastest(
    monkeypatch: pytest.MonkeyPatch, gpu: bool, bfloat16: bool, policy: str, xla: bool
) -> None:
    monkeypatch.setattr(precision, "_has_gpu", lambda: gpu)
    monkeypatch.setattr(precision, "_cpu_gains_from_bfloat16", lambda: bfloat16)

    assert resolve_precision("auto") == policy
    assert gains_from_xla() == xla


@pytest.mark.parametrize("chosen", ["float32", "mixed_bfloat16"])
def test_what_was_chosen_is_taken(chosen: precision.Precision) -> None:
    assert resolve_precision(chosen) == chosen


def test_the_policy_before_comes_back() -> None:
    before = keras.config.dtype_policy()

    with precision_scope("mixed_bfloat16"):
        assert keras.layers.Dense(1).compute_dtype == "bfloat16"

    assert keras.config.dtype_policy() == before
