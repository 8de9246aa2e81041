"""The fast version of `make fuzz`: fewer files, and the same ones each time."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from app.images import FORMATS, decode_image
from tests.fuzz.mutation import mostly_summed, mutated
from tests.fuzz.outcome import DECODED, outcome_of
from tests.fuzz.seeds import seeds_of

INPUTS = 2500


@pytest.mark.parametrize("file_format", FORMATS)
def test_seeds_are_sound(file_format: str) -> None:
    assert {outcome_of(seed, decode_image) for seed in seeds_of(file_format)} == {DECODED}


@pytest.mark.parametrize("file_format", FORMATS)
def test_damaged_files_have_documented_faults_and_nobody_complains(
    file_format: str, capfd: pytest.CaptureFixture[str]
) -> None:
    seeds = seeds_of(file_format)
    random = Random(file_format)
    damaged = (mutated(seeds[number % len(seeds)], seeds, random) for number in range(INPUTS))
    outcomes = Counter(outcome_of(mostly_summed(data, random), decode_image) for data in damaged)

    assert len(outcomes) >= 3
    assert capfd.readouterr() == ("", "")
