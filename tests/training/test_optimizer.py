from __future__ import annotations

import numpy as np
import pytest

from training.optimizer import Cosine, OneCycle


def rates(schedule: OneCycle) -> list[float]:
    return [float(schedule(step)) for step in range(schedule.steps + 1)]


@pytest.mark.parametrize("kind", [OneCycle, Cosine])
def test_rates_rise_in_a_line_to_their_peak_and_fall_to_zero(kind: type[OneCycle]) -> None:
    measured = rates(kind(peak=2.0, steps=100, warmup=0.2))

    assert measured[0] == pytest.approx(0.08)
    assert measured[10] == pytest.approx(2 * (0.04 + 0.96 / 2))
    assert max(measured) == measured[20] == pytest.approx(2)
    assert measured[20:] == sorted(measured[20:], reverse=True)
    assert measured[100] == pytest.approx(0, abs=1e-6)


def test_a_cosine_falls_slowly_at_both_ends() -> None:
    line, cosine = (rates(kind(1.0, 100, 0.0)) for kind in (OneCycle, Cosine))

    np.testing.assert_allclose(cosine, (1 + np.cos(np.linspace(0, np.pi, 101))) / 2, atol=1e-6)
    assert cosine[25] > line[25]
    assert cosine[75] < line[75]
    assert cosine[50] == pytest.approx(line[50])


def test_without_a_warmup_the_peak_comes_first() -> None:
    assert rates(Cosine(1.0, 10, 0.0))[0] == pytest.approx(1)
