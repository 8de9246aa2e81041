"""Where the measurements were made."""

from __future__ import annotations

import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = (
    "ai-edge-litert",
    "pillow",
    "fastapi",
    "uvicorn",
    "tensorflow",
    "keras",
    "jax",
    "litserve",
    "mosec",
    "ray",
)


def describe(cores: int) -> str:
    """Return one line on processor, system and versions."""
    installed = [f"{name} {found}" for name in _PACKAGES if (found := _version(name))]
    return (
        f"{cores} cores of {_processor()}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {', '.join(installed + _wrk())}"
    )


def nominal_hz() -> float | None:
    """Return the clock that the kernel tells, if it does."""
    megahertz = _cpuinfo().get("cpu MHz")
    return float(megahertz) * 1e6 if megahertz else None


def int8_products_a_cycle() -> int | None:
    """Return how many int8 products a core multiplies and adds in a cycle, where that is known."""
    flags = _cpuinfo().get("flags", "").split()
    if "avx512_vnni" in flags:
        return 64
    return 32 if "avx_vnni" in flags else None


def _processor() -> str:
    return _cpuinfo().get("model name") or platform.processor() or platform.machine()


def _cpuinfo() -> dict[str, str]:
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    except OSError:
        return {}
    return {
        name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _wrk() -> list[str]:
    if shutil.which("wrk") is None:
        return []
    printed = subprocess.run(["wrk", "-v"], check=False, capture_output=True, text=True).stdout
    return [" ".join(printed.split()[:2])]
