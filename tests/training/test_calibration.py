from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from training.calibration import fit_temperature
from training.metrics import reliability

COUNT = 20_000


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_what_was_multiplied_is_divided_again(temperature: float) -> None:
    random = np.random.default_rng(0)
    honest = random.normal(0, 2, (COUNT, 3))
    classes = (honest + random.gumbel(size=honest.shape)).argmax(axis=1).astype(np.int32)
    logits = (honest * temperature).astype(np.float32)

    found = fit_temperature(logits, classes)

    assert found == pytest.approx(temperature, rel=0.05)
    calibrated = softmax(logits / found, axis=1).astype(np.float32)
    assert reliability(calibrated, classes).expected_calibration_error < 0.01


def test_network_that_is_never_wrong_may_be_as_sure_as_it_likes() -> None:
    logits = np.array([[5, 0], [0, 5]], np.float32)

    assert 1 / 20 <= fit_temperature(logits, np.array([0, 1], np.int32)) < 1 / 5
