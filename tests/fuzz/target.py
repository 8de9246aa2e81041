"""Fuzz the decoder of one format in this process.

python -m tests.fuzz.target FORMAT INPUTS FINDINGS
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NoReturn

import atheris
import psutil

with atheris.instrument_imports(include=["PIL", "app", "pi_heif"]):
    import pi_heif  # noqa: F401
    from PIL import Image

    from tests.fuzz.outcome import decode_with_coverage, outcome_of

    Image.init()  # which imports the decoders

from tests.fuzz.mutation import mostly_summed, mutated
from tests.fuzz.seeds import seeds_of

_LONGEST_INPUT = 65_536
_SLOWEST_SECONDS = 60


class _Session:
    """What the inputs of one format came to, so far."""

    def __init__(self, file_format: str, inputs: int, findings: str) -> None:
        self._format = file_format
        self._findings = findings
        self._inputs = inputs
        self._seeds = seeds_of(file_format)
        self._outcomes: Counter[str] = Counter()
        self._slowest = 0.0
        self._clock = time.perf_counter if file_format == "HEIF" else time.process_time
        self._memory_before = _peak_bytes()

    def run(self) -> None:
        with TemporaryDirectory() as corpus:
            for number, seed in enumerate(self._seeds):
                Path(corpus, str(number)).write_bytes(seed)
            options = [
                f"-max_len={_LONGEST_INPUT}",
                f"-timeout={_SLOWEST_SECONDS}",
                f"-artifact_prefix={self._findings}/{self._format}-",
                "-rss_limit_mb=1536",
                "-verbosity=0",
                "-print_final_stats=0",
                "-seed=1",
            ]
            atheris.Setup(
                [sys.argv[0], *options, corpus], self._input, custom_mutator=self._mutated
            )
            atheris.Fuzz()

    def _input(self, data: bytes) -> None:
        start = self._clock()
        outcome = outcome_of(data, decode_with_coverage)
        self._slowest = max(self._slowest, self._clock() - start)
        self._outcomes[outcome] += 1
        if self._outcomes.total() >= self._inputs:
            self._finish()

    def _mutated(self, data: bytes, max_size: int, seed: int) -> bytes:
        """Change what libFuzzer found worth it, as it would, or a seed by what formats have."""
        random = Random(seed)
        if random.random() < 0.5:
            changed = atheris.Mutate(data, max_size)
        else:
            changed = mutated(random.choice(self._seeds), self._seeds, random)[:max_size]
        return mostly_summed(changed, random)

    def _finish(self) -> NoReturn:
        told = {
            "format": self._format,
            "outcomes": self._outcomes,
            "slowest": self._slowest,
            "bytes": max(_peak_bytes() - self._memory_before, _peak_bytes_of_decoders()),
        }
        print(json.dumps(told), flush=True)
        os._exit(0)  # libFuzzer ends a process in its own way


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _peak_bytes_of_decoders() -> int:
    for decoder in psutil.Process().children():
        decoder.kill()
        decoder.wait()
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024


if __name__ == "__main__":
    _Session(sys.argv[1], int(sys.argv[2]), sys.argv[3]).run()
