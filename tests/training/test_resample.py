from __future__ import annotations

import numpy as np
import pytest
from keras import ops
from PIL import Image

from tests.training.noise import augment, noise
from training import resample
from training.resample import RandomResample


def test_half_of_the_changed_pictures_lose_detail_and_half_gain_it() -> None:
    pixels = np.repeat(noise(1) // 2 + 64, 300, axis=0)

    changed = augment(RandomResample(0.6, seed=0), pixels)

    detail, before = np.std(changed, axis=(1, 2, 3)), np.std(pixels[0])
    same = np.all(changed == pixels, axis=(1, 2, 3))
    assert 90 < np.count_nonzero(same) < 150
    assert 60 < np.count_nonzero(detail < before - 1e-6) < 120
    assert 60 < np.count_nonzero(detail > before + 1e-6) < 120
    np.testing.assert_allclose(changed.mean(axis=(1, 2, 3)), pixels.mean(), atol=1)


@pytest.mark.parametrize("side", [16, 23, 32])
def test_pictures_go_down_and_up_as_pillow_takes_them(side: int) -> None:
    matrix = ops.convert_to_numpy(resample._down_and_up(ops.array([side / 32]), 32))[0]
    pixels = noise(1)[0].astype(np.float32)

    there_and_back = np.einsum("ij,kl,jlc->ikc", matrix, matrix, pixels)

    for channel in range(3):
        image = Image.fromarray(pixels[..., channel])
        small = image.resize((side, side), Image.Resampling.BILINEAR)
        large = small.resize((32, 32), Image.Resampling.BILINEAR)
        np.testing.assert_allclose(there_and_back[..., channel], np.asarray(large), atol=0.5)
