from __future__ import annotations

import numpy as np
from keras import ops

from training.boxes import box_masks


def test_a_mask_covers_its_box_and_is_cut_at_the_edge() -> None:
    down, right = ops.array([0.5, 1.0, 0.5]), ops.array([0.5, 0.0, 0.5])
    heights, widths = ops.array([0.5, 0.5, 0.0]), ops.array([0.2, 0.4, 0.0])

    masks = ops.convert_to_numpy(box_masks((down, right), (heights, widths), 8, 10))

    assert masks.shape == (3, 8, 10, 1)
    expected = np.zeros((3, 8, 10, 1), bool)
    expected[0, 2:6, 4:6] = True
    expected[1, 6:, :2] = True
    np.testing.assert_array_equal(masks, expected)
