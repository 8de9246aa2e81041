"""How a line of pixels is made of another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def bilinear_matrix(old: int, new: int) -> NDArray[np.float32]:
    """Pillow's bilinear resampling of one line of `old` pixels to `new`: `(new, old)`."""
    identity = Image.fromarray(np.eye(old, dtype=np.float32))
    return np.asarray(identity.resize((old, new), Image.Resampling.BILINEAR), dtype=np.float32)
