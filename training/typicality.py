"""How typical of the training's pictures a picture is, from the same pass that classifies it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf

_LAST_MAP = "maxpool_3"
_LEAST_VARIANCE = 1e-12  # of the greatest one


class Head(NamedTuple):
    """The end of a network, from what is read for typicality on."""

    activations: keras.KerasTensor
    """The means of the last feature map's channels, shape (n, channels)."""
    features: keras.KerasTensor
    """What the last layer reads, shape (n, units)."""
    logits: keras.KerasTensor
    """What the last layer says, before softmax; shape (n, classes)."""


class Evidence(NamedTuple):
    """What a network makes of n pictures, up to its last layer."""

    activations: NDArray[np.float32]
    features: NDArray[np.float32]
    """Both as in `Head`."""


class Clusters(NamedTuple):
    """Where the training pictures of each class lie."""

    directions: NDArray[np.float32]
    """Of the mean activations, shape (channels, classes), each of length 1."""
    means: NDArray[np.float32]
    """Of the features, shape (classes, units)."""
    whitening: NDArray[np.float32]
    """Shape (units, units): features times this have the identity as their covariance."""


def make_observer(network: keras.Model) -> keras.Model:
    """A model from pixels to `Evidence`, for a plain AlexNet."""
    feature_map = network.get_layer(_LAST_MAP).output
    activations = layers.GlobalAveragePooling2D(name="mean_activations")(feature_map)
    return keras.Model(network.input, [activations, network.layers[-1].input])


def make_head(network: keras.Model, observer: keras.Model, temperature: float) -> Head:
    """The head of the network that `observer` observes, logits divided by `temperature`."""
    last = network.layers[-1]
    activations, features = observer.outputs
    linear = layers.Dense(last.units, dtype="float32", name=last.name)
    logits = linear(features)
    linear.set_weights([weight / temperature for weight in last.get_weights()])
    return Head(activations, features, logits)


def find_clusters(evidence: Evidence, classes: NDArray[np.int32]) -> Clusters:
    """Describe each class by its training pictures.

    Args:
        evidence: Of the pictures, which are of every class.
        classes: The class index of each, shape (n,).
    """
    directions = _class_means(evidence.activations, classes).T
    means = _class_means(evidence.features, classes)
    # One covariance for all classes, shrunk as far as few pictures demand.
    covariance = LedoitWolf(assume_centered=True).fit(evidence.features - means[classes])
    lengths = np.linalg.norm(directions, axis=0)
    return Clusters(
        directions / np.maximum(lengths, np.finfo(np.float32).tiny),
        means,
        _whitening(covariance.covariance_),
    )


def make_typicalities(head: Head, clusters: Clusters) -> dict[str, keras.KerasTensor]:
    """Every score that is tried, by name; shape (n, 1), the higher the more typical."""
    return {name: score(head, clusters) for name, score in _SCORES.items()}


def _whitening(covariance: NDArray[np.float64]) -> NDArray[np.float32]:
    """See `Clusters`; where pictures hardly differ, no direction counts more than a millionfold."""
    variances, axes = np.linalg.eigh(covariance)
    least = max(variances.max() * _LEAST_VARIANCE, np.finfo(np.float32).eps ** 2)
    whitening: NDArray[np.float32] = (axes / np.sqrt(np.maximum(variances, least))).astype(
        np.float32
    )
    return whitening


def _class_means(values: NDArray[np.float32], classes: NDArray[np.int32]) -> NDArray[np.float32]:
    return np.stack([values[classes == index].mean(axis=0) for index in np.unique(classes)])


def _greatest_probability(head: Head, _: Clusters) -> keras.KerasTensor:
    """Hendrycks & Gimpel 2017, section 2."""
    return ops.max(ops.softmax(head.logits), axis=-1, keepdims=True)


def _greatest_logit(head: Head, _: Clusters) -> keras.KerasTensor:
    """Hendrycks et al. 2022, "Scaling Out-of-Distribution Detection", section 3."""
    return ops.max(head.logits, axis=-1, keepdims=True)


def _energy(head: Head, _: Clusters) -> keras.KerasTensor:
    """Liu et al. 2020, "Energy-based Out-of-distribution Detection", equation 4, negated."""
    return ops.logsumexp(head.logits, axis=-1, keepdims=True)


def _distance(head: Head, clusters: Clusters) -> keras.KerasTensor:
    """Mahalanobis's, squared, of the features to the nearest class (Lee et al. 2018, section 2)."""
    whitened = _linear("whitening", clusters.whitening)(head.features)
    offsets = ops.expand_dims(whitened, 1) - clusters.means @ clusters.whitening
    return -ops.min(ops.sum(ops.square(offsets), axis=-1), axis=-1, keepdims=True)


def _cosine(head: Head, clusters: Clusters) -> keras.KerasTensor:
    """Of the angle between the mean activations and those of the nearest class.

    Where in the picture something is does not matter, nor how strong its contrast is.
    """
    direction = layers.UnitNormalization(name="direction")(head.activations)
    cosines = _linear("class_directions", clusters.directions)(direction)
    return ops.max(cosines, axis=-1, keepdims=True)


def _linear(name: str, kernel: NDArray[np.float32]) -> keras.layers.Dense:
    layer = layers.Dense(kernel.shape[1], use_bias=False, name=name)
    layer.build((None, kernel.shape[0]))
    layer.set_weights([kernel])
    return layer


_SCORES: dict[str, Callable[[Head, Clusters], keras.KerasTensor]] = {
    "greatest probability": _greatest_probability,
    "greatest logit": _greatest_logit,
    "energy": _energy,
    "distance to the nearest class": _distance,
    "cosine to the nearest class": _cosine,
}
