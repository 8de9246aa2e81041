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
    classes, so that no answer changes. As if one picture more than these had been wrong, so that
    few pictures, or such as are all right, let no network be sure of everything (Platt 1999,
    "Probabilistic Outputs for Support Vector Machines", section 2.2).

    Args:
        logits: Shape (n, classes), of pictures that the network was not trained on.
        classes: The class index of each, shape (n,).

    Returns:
        A number from 1/20 to 20; above 1 where the network is too sure of itself.
    """
    rows = np.arange(len(classes))
    exact = logits.astype(np.float64)

    wrong = 1 / (len(classes) + 2)

    def log_loss(exponent: float) -> float:
        logs = log_softmax(exact / math.exp(exponent), axis=1)
        right = logs[rows, classes]
        others = (logs.sum(axis=1) - right) / (logs.shape[1] - 1)
        return -float(((1 - wrong) * right + wrong * others).mean())

    limit = math.log(_LARGEST)
    return math.exp(minimize_scalar(log_loss, bounds=(-limit, limit), method="bounded").x)
