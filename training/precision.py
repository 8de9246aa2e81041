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


def resolve_precision(precision: Precision) -> str:
    """The Keras dtype policy for `precision`; "auto" looks at the hardware.

    bfloat16 pays where the hardware multiplies faster in it: on GPUs, on CPUs with AMX, and on
    AMD's with AVX512-BF16. Intel's with AVX512-BF16 alone multiply no more in it than in float32,
    and convert beside that (at 131x131, 61 against 84 pictures/s on 2 cores); elsewhere it is
    emulated, an order of magnitude slower.
    """
    if precision != "auto":
        return precision
    return "mixed_bfloat16" if _has_gpu() or _cpu_gains_from_bfloat16() else "float32"


def gains_from_xla() -> bool:
    """Whether XLA speeds a training up.

    On TensorFlow's CPU it does not (at 227x227, 22 against 33 pictures/s in float32 on 2 cores):
    it passes by the libraries that know the CPU. JAX without it would run every operation on its
    own.
    """
    return keras.backend.backend() == "jax" or _has_gpu()


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


def _cpu_gains_from_bfloat16() -> bool:
    if platform.system() != "Linux":
        return False
    words = Path("/proc/cpuinfo").read_text().split()
    return "amx_bf16" in words or ("avx512_bf16" in words and "AuthenticAMD" in words)
