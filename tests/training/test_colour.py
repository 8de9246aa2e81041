from __future__ import annotations

import numpy as np
import pytest

from tests.training.noise import augment, noise
from training.colour import RandomColour


def test_no_strength_changes_nothing() -> None:
    np.testing.assert_array_equal(augment(RandomColour(0.0, seed=0), noise()), noise())


@pytest.mark.parametrize("strength", [0.2, 0.5])
def test_brightness_scales_within_its_limits(strength: float) -> None:
    grey = np.full((64, 8, 8, 3), 100, np.uint8)

    changed = augment(RandomColour(strength, seed=0), grey)

    levels = changed[:, 0, 0, 0] / 100
    np.testing.assert_array_equal(changed, changed[:, :1, :1, :1] * np.ones_like(grey))
    assert 1 - strength - 0.01 <= levels.min() < 1 - strength / 2
    assert 1 + strength / 2 < levels.max() <= 1 + strength + 0.01


def test_contrast_and_saturation_change_on_their_own() -> None:
    pixels = np.full((64, 8, 8, 3), 100, np.uint8)
    pixels[:, :4] = 60
    pixels[:, :, :4, 0] = 140

    changed = augment(RandomColour(0.5, seed=0), pixels).astype(float)

    contrast = changed[:, -1, -1, 1] / changed[:, 0, -1, 1]
    saturation = changed[:, -1, 0, 0] / changed[:, -1, -1, 0]
    for ratio, before in ((contrast, 100 / 60), (saturation, 140 / 100)):
        assert ratio.min() < before - 0.1
        assert ratio.max() > before + 0.1
    assert abs(np.corrcoef(contrast, saturation)[0, 1]) < 0.9
