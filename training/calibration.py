"""Probabilities that are as often right as they say."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

_LARGEST = 20.0


def fit_temperature(logits: NDArray[np.float32], classes: NDArray[np.int32]) -> float:
    """The temperature T that makes the labels likeliest under softmax(logits / T).

    Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.2: one number for all
    classes, so that no answer changes.

    Args:
        logits: Shape (n, classes), of pictures that the network was not trained on.
        classes: The class index of each, shape (n,).

    Returns:
        A number from 1/20 to 20; above 1 where the network is too sure of itself.
    """
    rows = np.arange(len(classes))
    exact = logits.astype(np.float64)

    def log_loss(exponent: float) -> float:
        return -float(log_softmax(exact / math.exp(exponent), axis=1)[rows, classes].mean())

    limit = math.log(_LARGEST)
    return math.exp(minimize_scalar(log_loss, bounds=(-limit, limit), method="bounded").x)
