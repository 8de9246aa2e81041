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


@pytest.mark.parametrize("pictures", [2, 18, 998])
def test_network_that_was_never_wrong_is_as_sure_as_their_number_allows(pictures: int) -> None:
    logits = np.array([[5, 0], [0, 5]] * (pictures // 2), np.float32)

    found = fit_temperature(logits, np.array([0, 1] * (pictures // 2), np.int32))

    assert softmax(logits[0] / found)[0] == pytest.approx(1 - 1 / (pictures + 2), abs=1e-3)
