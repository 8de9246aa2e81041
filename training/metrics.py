"""How good answers are: accuracy, log loss, confusion, ROC and calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, log_loss, roc_auc_score, roc_curve

BINS = 15


@dataclass(frozen=True)
class Roc:
    """The receiver operating characteristic of one class against the others."""

    false_positive_rate: NDArray[np.float64]
    true_positive_rate: NDArray[np.float64]
    area: float


@dataclass(frozen=True)
class Reliability:
    """Accuracy against confidence in `BINS` bins of equal width; empty bins are left out."""

    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    counts: NDArray[np.int64]

    @property
    def expected_calibration_error(self) -> float:
        """Guo et al. 2017, "On Calibration of Modern Neural Networks", equation 3; 0 to 1."""
        gaps = np.abs(self.confidence - self.accuracy)
        return float(np.average(gaps, weights=self.counts))


@dataclass(frozen=True)
class Evaluation:
    """How a network's answers compare with the labels."""

    labels: tuple[str, ...]
    images: int
    accuracy: float
    log_loss: float
    confusion: NDArray[np.int64]
    """Pictures by true class (rows) and answer (columns)."""
    rocs: dict[str, Roc]
    """By label; only of those that occur, and only if there are others."""
    reliability: Reliability


def evaluate_answers(
    probabilities: NDArray[np.float32], classes: NDArray[np.int32], labels: tuple[str, ...]
) -> Evaluation:
    """Compare probabilities (n, classes) with class indices (n,), n >= 1."""
    answers = probabilities.argmax(axis=1)
    indices = range(len(labels))
    return Evaluation(
        labels=labels,
        images=len(classes),
        accuracy=float(np.mean(answers == classes)),
        log_loss=mean_log_loss(probabilities, classes),
        confusion=confusion_matrix(classes, answers, labels=list(indices)),
        rocs={
            labels[index]: _roc(probabilities[:, index], classes == index)
            for index in indices
            if 0 < np.count_nonzero(classes == index) < len(classes)
        },
        reliability=reliability(probabilities, classes),
    )


def mean_log_loss(probabilities: NDArray[np.float32], classes: NDArray[np.int32]) -> float:
    """Mean negative logarithm of the true class's probability, in nats."""
    # float32 rows sum to 1 only within 1e-6, which scikit-learn warns of in float64.
    exact = probabilities.astype(np.float64)
    exact /= exact.sum(axis=1, keepdims=True)
    return float(log_loss(classes, exact, labels=list(range(probabilities.shape[1]))))


def _roc(scores: NDArray[np.float32], positive: NDArray[np.bool_]) -> Roc:
    false_rate, true_rate, _ = roc_curve(positive, scores)
    return Roc(false_rate, true_rate, float(roc_auc_score(positive, scores)))


def reliability(probabilities: NDArray[np.float32], classes: NDArray[np.int32]) -> Reliability:
    """Compare how sure the answers (n, classes) are with how often they are right."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == classes
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    filled = counts > 0
    totals = [np.bincount(bins, values, minlength=BINS)[filled] for values in (confidence, right)]
    return Reliability(totals[0] / counts[filled], totals[1] / counts[filled], counts[filled])
