"""The servers to compare with, and the settings to try them at."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_BATCHES = (8, 16)  # at most; at 16 connections, two workers can have 8 each


class Rival(NamedTuple):
    """A server at one setting."""

    name: str
    setting: str
    command: list[str]
    variables: dict[str, str]
    probe: str
    path: str
    takes_forms: bool


class _Setting(NamedTuple):
    workers: int
    threads: int
    wait_ms: int
    batch: int

    def __str__(self) -> str:
        return (
            f"{self.workers} workers of {self.threads} threads, batches of {self.batch}, "
            f"wait {self.wait_ms} ms"
        )


def tutorial(keras_file: Path) -> Rival:
    """FastAPI and `model.predict`."""
    command = ["uvicorn", "benchmarks.rivals.tutorial:app", "--port", "{port}", "--no-access-log"]
    variables = {"BENCH_KERAS_FILE": str(keras_file), "TF_CPP_MIN_LOG_LEVEL": "2"}
    return Rival(
        name="tutorial",
        setting="model.predict",
        command=[sys.executable, "-m", *command],
        variables=variables,
        probe="/health",
        path="/predict",
        takes_forms=True,
    )


def litserve(litert_file: Path, cores: int, decoder: str) -> Iterator[Rival]:
    """LitServe, at each setting that may be its best."""
    for setting in _settings(cores, (0, 2, 5)):
        for servers in sorted({1, setting.workers}):  # the latter is LitServe's default
            yield Rival(
                name=f"LitServe, {decoder} decoder",
                setting=f"{setting}, {servers} to take requests",
                command=_module("litserve_server"),
                variables={
                    **_variables(litert_file, setting, decoder),
                    "BENCH_API_SERVERS": str(servers),
                },
                probe="/health",
                path="/predict",
                takes_forms=True,
            )


def mosec(litert_file: Path, cores: int, decoder: str) -> Iterator[Rival]:
    """Mosec, at each setting that may be its best."""
    for setting in _settings(cores, (1, 5)):  # 0 is not to be had
        yield Rival(
            name=f"mosec, {decoder} decoder",
            setting=str(setting),
            command=_module("mosec_server"),
            variables=_variables(litert_file, setting, decoder),
            probe="/",
            path="/inference",
            takes_forms=False,
        )


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.rivals.{name}", "--port", "{port}"]


def _settings(cores: int, waits: tuple[int, ...]) -> Iterator[_Setting]:
    for workers in sorted({1, cores}):
        for wait_ms in waits:
            for batch in _BATCHES:
                yield _Setting(workers, cores // workers, wait_ms, batch)


def _variables(litert_file: Path, setting: _Setting, decoder: str) -> dict[str, str]:
    return {
        "BENCH_LITERT_FILE": str(litert_file),
        "BENCH_WORKERS": str(setting.workers),
        "BENCH_THREADS": str(setting.threads),
        "BENCH_WAIT_MS": str(setting.wait_ms),
        "BENCH_MAX_BATCH": str(setting.batch),
        "BENCH_DECODER": decoder,
    }
