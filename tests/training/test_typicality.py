from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from training.model import build_alexnet
from training.typicality import (
    Evidence,
    find_clusters,
    make_head,
    make_observer,
    make_typicalities,
)

SIDE = 99
CLASSES = 3


@pytest.fixture(scope="module")
def network() -> keras.Model:
    keras.utils.set_random_seed(0)
    return build_alexnet(CLASSES, side=SIDE, width=1 / 32)


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (60, SIDE, SIDE, 3), np.uint8)


@pytest.fixture(scope="module")
def classes() -> np.ndarray:
    return np.arange(60, dtype=np.int32) % CLASSES


@pytest.fixture(scope="module")
def observer(network: keras.Model) -> keras.Model:
    return make_observer(network)


@pytest.fixture(scope="module")
def evidence(observer: keras.Model, pictures: np.ndarray) -> Evidence:
    return Evidence(*map(np.asarray, observer.predict_on_batch(pictures)))


def test_head_divides_the_logits_and_keeps_the_answers(
    network: keras.Model, observer: keras.Model, pictures: np.ndarray
) -> None:
    def logits(temperature: float) -> np.ndarray:
        head = make_head(network, observer, temperature)
        return keras.Model(network.input, head.logits).predict_on_batch(pictures)

    plain = logits(1.0)

    np.testing.assert_allclose(logits(4.0), plain / 4, rtol=1e-4, atol=1e-6)
    expected = network.predict_on_batch(pictures)
    np.testing.assert_allclose(keras.ops.softmax(plain), expected, atol=1e-5)


def test_clusters_are_what_numpy_says(evidence: Evidence, classes: np.ndarray) -> None:
    clusters = find_clusters(evidence, classes)

    np.testing.assert_allclose(np.linalg.norm(clusters.directions, axis=0), 1, rtol=1e-5)
    mean = evidence.activations[classes == 1].mean(axis=0)
    np.testing.assert_allclose(clusters.directions[:, 1], mean / np.linalg.norm(mean), rtol=1e-5)
    np.testing.assert_allclose(clusters.means[2], evidence.features[classes == 2].mean(axis=0))


def test_whitened_features_have_the_identity_as_their_covariance(
    evidence: Evidence, classes: np.ndarray
) -> None:
    clusters = find_clusters(evidence, classes)

    shrunk = LedoitWolf(assume_centered=True).fit(evidence.features - clusters.means[classes])
    whitened = clusters.whitening.T @ shrunk.covariance_ @ clusters.whitening
    np.testing.assert_allclose(whitened, np.eye(len(whitened)), atol=1e-3)


def test_pictures_that_are_all_alike_have_clusters(evidence: Evidence, classes: np.ndarray) -> None:
    one = Evidence(np.zeros_like(evidence.activations), np.ones_like(evidence.features))

    clusters = find_clusters(one, classes)

    assert all(np.isfinite(values).all() for values in clusters)


def test_scores_are_what_numpy_says(
    network: keras.Model, observer: keras.Model, evidence: Evidence, classes: np.ndarray
) -> None:
    clusters = find_clusters(evidence, classes)
    head = make_head(network, observer, temperature=0.5)
    scores = make_typicalities(head, clusters)
    judge = keras.Model([head.activations, head.features], {**scores, "logits": head.logits})
    found = {name: np.asarray(values) for name, values in judge(list(evidence)).items()}
    logits = found.pop("logits").astype(np.float64)

    directions = evidence.activations / np.linalg.norm(evidence.activations, axis=1, keepdims=True)
    offsets = evidence.features[:, None] - clusters.means
    powers = np.exp(logits)
    expected = {
        "greatest probability": (powers / powers.sum(axis=1, keepdims=True)).max(axis=1),
        "greatest logit": logits.max(axis=1),
        "energy": np.log(powers.sum(axis=1)),
        "distance to the nearest class": -((offsets @ clusters.whitening) ** 2).sum(-1).min(axis=1),
        "cosine to the nearest class": (directions @ clusters.directions).max(axis=1),
    }
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name][:, 0], values, rtol=1e-3, atol=1e-4, err_msg=name)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras's own, with NumPy 2
def test_every_score_survives_being_saved(
    network: keras.Model,
    observer: keras.Model,
    evidence: Evidence,
    classes: np.ndarray,
    pictures: np.ndarray,
    tmp_path: Path,
) -> None:
    head = make_head(network, observer, temperature=1.0)
    scores = make_typicalities(head, find_clusters(evidence, classes))
    model = keras.Model(network.input, list(scores.values()))
    model.save(tmp_path / "scores.keras")

    loaded = keras.saving.load_model(tmp_path / "scores.keras", compile=False, safe_mode=True)

    for before, after in zip(
        model.predict_on_batch(pictures), loaded.predict_on_batch(pictures), strict=True
    ):
        np.testing.assert_allclose(after, before, rtol=1e-5)
