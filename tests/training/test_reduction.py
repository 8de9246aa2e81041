from __future__ import annotations

import keras
import numpy as np
from PIL import Image

from training.reduction import Reduction

PIXELS = np.random.default_rng(0).integers(0, 256, (3, 40, 40, 3), dtype=np.uint8)


def test_pictures_come_out_as_pillow_makes_them() -> None:
    reduced = keras.ops.convert_to_numpy(Reduction(17)(PIXELS))

    size = (17, 17)
    expected = [Image.fromarray(one).resize(size, Image.Resampling.BILINEAR) for one in PIXELS]
    assert reduced.dtype == np.uint8
    np.testing.assert_allclose(reduced.astype(int), np.stack(expected).astype(int), atol=1)


def test_pictures_of_that_side_are_left_alone() -> None:
    np.testing.assert_array_equal(Reduction(40)(PIXELS), PIXELS)


def test_the_layer_comes_back_from_its_configuration() -> None:
    layer = Reduction(17)
    again = keras.layers.deserialize(keras.layers.serialize(layer))

    assert again.side == 17
    assert again.compute_output_shape((None, 40, 40, 3)) == (None, 17, 17, 3)
