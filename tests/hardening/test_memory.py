from __future__ import annotations

import pytest

from hardening.memory import Sample, slope, thirds


def test_slope_is_that_of_ten_minutes() -> None:
    samples = [Sample(second, 200 + 0.002 * second) for second in range(0, 1800, 10)]

    assert slope(samples) == pytest.approx(1.2)


def test_slope_of_what_only_swings_is_flat() -> None:
    samples = [Sample(second, 200 + 10 * (second % 2)) for second in range(1800)]

    assert abs(slope(samples)) < 0.1


def test_thirds_are_told_by_their_medians() -> None:
    samples = [Sample(second, mb) for second, mb in enumerate([1, 2, 900, 4, 5, 6, 7, 0, 9])]

    assert thirds(samples) == [2, 5, 7]


@pytest.mark.parametrize(("mb", "told"), [([3], [3, 3, 3]), ([3, 4], [3, 4, 4])])
def test_few_samples_are_enough(mb: list[float], told: list[float]) -> None:
    assert thirds([Sample(0, each) for each in mb]) == told
