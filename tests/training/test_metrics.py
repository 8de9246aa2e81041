from __future__ import annotations

import math

import numpy as np
import pytest

from training.metrics import evaluate_answers, mean_log_loss

PROBABILITIES = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.8, 0.2]], dtype=np.float32)
CLASSES = np.array([0, 0, 1, 1], dtype=np.int32)


def test_figures_of_four_answers() -> None:
    evaluation = evaluate_answers(PROBABILITIES, CLASSES, ("cat", "dog"))

    assert evaluation.images == 4
    assert evaluation.accuracy == 0.75
    assert evaluation.confusion.tolist() == [[2, 0], [1, 1]]
    expected = -(math.log(0.9) + math.log(0.6) + math.log(0.7) + math.log(0.2)) / 4
    assert evaluation.log_loss == pytest.approx(expected, rel=1e-6)
    # Of the four pairs of a dog and a cat, the dog scores higher in all but (0.2, 0.4).
    assert evaluation.rocs["dog"].area == pytest.approx(0.75)


def test_calibration_error_is_the_mean_gap_between_confidence_and_accuracy() -> None:
    reliability = evaluate_answers(PROBABILITIES, CLASSES, ("cat", "dog")).reliability

    assert reliability.counts.sum() == 4
    gaps = [0.1, 0.4, 0.3, 0.8]  # each answer lies in a bin of its own
    assert reliability.expected_calibration_error == pytest.approx(sum(gaps) / 4, rel=1e-6)


def test_perfect_confidence_has_a_bin() -> None:
    certain = np.array([[1, 0], [0, 1]], dtype=np.float32)

    reliability = evaluate_answers(certain, np.array([0, 1], np.int32), ("a", "b")).reliability

    assert reliability.counts.tolist() == [2]
    assert reliability.expected_calibration_error == 0


def test_three_classes_of_which_one_is_missing() -> None:
    probabilities = np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]], dtype=np.float32)

    evaluation = evaluate_answers(probabilities, np.array([0, 1], np.int32), ("a", "b", "c"))

    assert evaluation.confusion.shape == (3, 3)
    assert set(evaluation.rocs) == {"a", "b"}


def test_a_wrong_answer_given_with_certainty_costs_a_finite_loss() -> None:
    certain = np.array([[1, 0]], dtype=np.float32)

    assert 10 < mean_log_loss(certain, np.array([1], np.int32)) < math.inf
