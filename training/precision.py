"""The floating-point format that the hardware computes fastest in."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import keras

from app.engines.keras import gpu_device

Precision = Literal["auto", "float32", "mixed_bfloat16"]

_CPU_BFLOAT16_FLAGS = ("avx512_bf16", "amx_bf16")
_XLA_PICTURES = 1000
"""From here on XLA pays: it takes some 10 seconds at every side, and saves 15 ms a picture."""


def resolve_precision(precision: Precision) -> str:
    """The Keras dtype policy for `precision`; "auto" looks at the hardware.

    bfloat16 pays where the hardware multiplies in it: on GPUs, and on CPUs with
    AVX512-BF16 or AMX. Elsewhere it is emulated, an order of magnitude slower than float32.
    """
    if precision != "auto":
        return precision
    return "mixed_bfloat16" if _has_gpu() or _cpu_has_bfloat16() else "float32"


def gains_from_xla(policy: str, pictures: int) -> bool:
    """Whether XLA speeds up a training that sees so many pictures, each epoch's counted.

    On TensorFlow's CPU it does in float32 (15 against 12 pictures a second on 2 cores) and does
    not in bfloat16 (22 against 40), where it passes the CPU's instructions by. Keras' own "auto"
    leaves it out on that CPU in any case. JAX without it would run every operation on its own.
    """
    if keras.backend.backend() == "jax":
        return True
    return pictures >= _XLA_PICTURES and (policy == "float32" or _has_gpu())


@contextlib.contextmanager
def precision_scope(policy: str) -> Iterator[None]:
    """Layers made inside have this dtype policy."""
    outer = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(outer)


def _has_gpu() -> bool:
    return gpu_device() is not None


def _cpu_has_bfloat16() -> bool:
    if platform.system() != "Linux":
        return False
    flags = Path("/proc/cpuinfo").read_text().split()
    return any(flag in flags for flag in _CPU_BFLOAT16_FLAGS)
