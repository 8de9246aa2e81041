"""The servers to compare with, and the settings to try them at."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_HERE = Path(__file__).parent


class Rival(NamedTuple):
    """A server at one setting."""

    name: str
    setting: str
    command: list[str]
    variables: dict[str, str]
    probe: str
    path: str
    takes_forms: bool


def tutorial(keras_file: Path) -> Rival:
    """FastAPI and `model.predict`."""
    command = ["uvicorn", "benchmarks.rivals.tutorial:app", "--port", "{port}", "--no-access-log"]
    variables = {"BENCH_KERAS_FILE": str(keras_file), "TF_CPP_MIN_LOG_LEVEL": "2"}
    return Rival(
        "tutorial",
        "model.predict, float32",
        [sys.executable, "-m", *command],
        variables,
        "/health",
        "/predict",
        True,
    )


def litserve(litert_file: Path, cores: int, decoder: str) -> Iterator[Rival]:
    """LitServe, at each setting that may be its best."""
    for workers, threads, wait_ms in _settings(cores, (0, 2, 5)):
        yield Rival(
            f"LitServe, {decoder} decoder",
            _setting(workers, threads, wait_ms),
            [sys.executable, "-m", "benchmarks.rivals.litserve_server", "--port", "{port}"],
            _variables(litert_file, workers, threads, wait_ms, decoder),
            "/health",
            "/predict",
            True,
        )


def mosec(litert_file: Path, cores: int, decoder: str) -> Iterator[Rival]:
    """Mosec, at each setting that may be its best."""
    for workers, threads, wait_ms in _settings(cores, (1, 5)):  # 0 is not to be had
        yield Rival(
            f"mosec, {decoder} decoder",
            _setting(workers, threads, wait_ms),
            [sys.executable, "-m", "benchmarks.rivals.mosec_server", "--port", "{port}"],
            _variables(litert_file, workers, threads, wait_ms, decoder),
            "/",
            "/inference",
            False,
        )


def _settings(cores: int, waits: tuple[int, ...]) -> Iterator[tuple[int, int, int]]:
    for workers in sorted({1, cores}):
        for wait_ms in waits:
            yield workers, cores // workers, wait_ms


def _setting(workers: int, threads: int, wait_ms: int) -> str:
    return f"{workers} workers of {threads} threads, wait {wait_ms} ms"


def _variables(
    litert_file: Path, workers: int, threads: int, wait_ms: int, decoder: str
) -> dict[str, str]:
    return {
        "BENCH_LITERT_FILE": str(litert_file),
        "BENCH_WORKERS": str(workers),
        "BENCH_THREADS": str(threads),
        "BENCH_WAIT_MS": str(wait_ms),
        "BENCH_DECODER": decoder,
    }
