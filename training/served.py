"""The network as it is served: calibrated, and with a second output for typicality."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from training.calibration import fit_temperature
from training.domain import roc_areas
from training.predictor import chunks
from training.split import Split
from training.typicality import (
    Evidence,
    find_clusters,
    make_head,
    make_observer,
    make_typicalities,
)

_LEARNED_FROM = 4000
"""Training pictures that typicality is learned from, and at least one of each class."""
_JUDGED_AT_ONCE = 64  # by a score that takes classes times units of memory for each


class LabelledPictures(NamedTuple):
    """What a network was trained and validated on."""

    pixels: NDArray[np.uint8]
    """Shape (n, side, side, 3)."""
    classes: NDArray[np.int32]
    """Shape (n,)."""
    split: Split


class Served(NamedTuple):
    """A network from pixels to probabilities (n, classes) and typicality (n, 1)."""

    network: keras.Model
    temperature: float
    score: str
    """The name of what measures typicality."""
    tried: dict[str, float]
    """The mean ROC area of every score that was tried."""


def make_served(
    network: keras.Model, pictures: LabelledPictures, neither: Mapping[str, NDArray[np.uint8]]
) -> Served:
    """Calibrate a plain AlexNet, and let it tell how typical a picture is.

    The score is the one that best tells the validation pictures from those in `neither`.
    """
    observer = make_observer(network)
    split, classes = pictures.split, pictures.classes
    known = _thinned(split.training, classes)
    validation = _observe(observer, pictures.pixels, split.validation)
    others = {
        kind: _observe(observer, each, np.arange(len(each))) for kind, each in neither.items()
    }
    clusters = find_clusters(_observe(observer, pictures.pixels, known), classes[known])

    raw = make_head(network, observer, temperature=1.0)
    logits = keras.Model(raw.features, raw.logits).predict_on_batch(validation.features)
    temperature = fit_temperature(np.asarray(logits), classes[split.validation])

    head = make_head(network, observer, temperature)
    scores = make_typicalities(head, clusters)
    judge = keras.Model([head.activations, head.features], scores)
    tried = _mean_areas(
        _judge(judge, validation),
        {kind: _judge(judge, evidence) for kind, evidence in others.items()},
    )
    best = max(tried, key=tried.__getitem__)
    probabilities = keras.layers.Softmax(dtype="float32", name="probabilities")(head.logits)
    served = keras.Model(network.input, [probabilities, scores[best]], name=network.name)
    return Served(served, temperature, best, tried)


def _thinned(positions: NDArray[np.intp], classes: NDArray[np.int32]) -> NDArray[np.intp]:
    step = -(-len(positions) // _LEARNED_FROM)
    members = [positions[classes[positions] == index] for index in np.unique(classes)]
    return np.sort(np.concatenate([each[::step] for each in members]))


def _observe(
    observer: keras.Model, pixels: NDArray[np.uint8], positions: NDArray[np.intp]
) -> Evidence:
    parts = [
        observer.predict_on_batch(np.asarray(pixels[chosen]))
        for chosen in chunks(positions, "reading the last layers")
    ]
    return Evidence(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _judge(judge: keras.Model, evidence: Evidence) -> dict[str, NDArray[np.float32]]:
    scores = judge.predict(list(evidence), batch_size=_JUDGED_AT_ONCE, verbose=0)
    return {name: np.asarray(values)[:, 0] for name, values in scores.items()}


def _mean_areas(
    typical: Mapping[str, NDArray[np.float32]],
    atypical: Mapping[str, Mapping[str, NDArray[np.float32]]],
) -> dict[str, float]:
    """By score: how well it tells the typical pictures from each kind of others, on average."""
    return {
        name: fmean(
            roc_areas(values, {kind: scores[name] for kind, scores in atypical.items()}).values()
        )
        for name, values in typical.items()
    }
