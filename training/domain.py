"""Telling pictures like those of the training from others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from app.card import Domain
from app.engines.engine import Answers
from training.data import Skipped, decode_entries
from training.errors import DataError
from training.neither import KINDS, draw_neither
from training.predictor import Predict, predict_all
from training.source import open_source

PASSING = 0.97
"""Share of the validation pictures that are to be taken as in the domain."""

_DRAWN_A_KIND = 50
_MOST_PHOTOGRAPHS = 1000
_QUANTILES = 101


def collect_neither(side: int, photographs: Path | None) -> dict[str, NDArray[np.uint8]]:
    """Pictures (n, side, side, 3) that show none of the classes, by kind.

    Args:
        side: Of the pictures, in pixels.
        photographs: An archive or a folder of pictures to add to those that are drawn; of more
            than a thousand, as many.

    Raises:
        DataError: None of the photographs can be decoded, or their kind has the name of those
            that are drawn.
    """
    if photographs is not None and photographs.absolute().stem in KINDS:
        raise DataError(f"{photographs} has the name of what is drawn; rename it.")
    pictures = {kind: draw_neither(kind, _DRAWN_A_KIND, side) for kind in KINDS}
    if photographs is None:
        return pictures
    with open_source(photographs) as source:
        count = len(source.entries)
        if count > _MOST_PHOTOGRAPHS:
            print(f"{_MOST_PHOTOGRAPHS} of the {count} photographs in {photographs} are taken.")
            chosen = np.linspace(0, count - 1, _MOST_PHOTOGRAPHS).astype(int)
            source.entries = [source.entries[position] for position in chosen]
        decoded = [pixels for _, pixels in decode_entries(source, side)]
    usable = [pixels for pixels in decoded if not isinstance(pixels, Skipped)]
    for skipped in (pixels for pixels in decoded if isinstance(pixels, Skipped)):
        print(f"  skipped {skipped.name}: {skipped.reason}")
    if not usable:
        raise DataError(f"{photographs} holds no picture that can be decoded; name another folder.")
    return {**pictures, photographs.absolute().stem: np.stack(usable)}


def neither_typicality(
    predict: Predict, pictures: Mapping[str, NDArray[np.uint8]]
) -> dict[str, NDArray[np.float32]]:
    """Typicality of the pictures that `collect_neither` found, by kind; shape (n,)."""
    return {
        kind: typicality_of(predict_all(predict, pixels, np.arange(len(pixels)), kind))
        for kind, pixels in pictures.items()
    }


def typicality_of(answers: Answers) -> NDArray[np.float32]:
    """Typicality, shape (n,), of a network that tells it.

    Raises:
        ValueError: It does not.
    """
    if answers.typicality is None:
        raise ValueError("The network must tell how typical pictures are. Received: None")
    return answers.typicality


def roc_areas(
    typical: NDArray[np.float32], others: Mapping[str, NDArray[np.float32]]
) -> dict[str, float]:
    """How well typicality tells validation pictures, shape (n,), from each kind of others.

    1 is perfectly, 0.5 not at all.
    """
    return {
        kind: float(
            roc_auc_score(
                np.repeat([True, False], [len(typical), len(values)]),
                np.concatenate([typical, values]),
            )
        )
        for kind, values in others.items()
    }


def describe_domain(
    score: str,
    typical: NDArray[np.float32],
    others: Mapping[str, NDArray[np.float32]],
    tried: Mapping[str, float],
) -> Domain:
    """What the model card says of the domain, with the threshold that `PASSING` asks for.

    Args:
        score: The name of the score that the network computes.
        typical: Typicality of the validation pictures, shape (n,).
        others: That of pictures that are neither, by kind.
        tried: The mean ROC area of every score that was tried.
    """
    quantiles = np.quantile(typical.astype(np.float64), np.linspace(0, 1, _QUANTILES))
    return Domain(
        score=score,
        passing=PASSING,
        quantiles=tuple(quantiles.tolist()),
        threshold=float(np.quantile(typical, 1 - PASSING, method="lower")),
        roc_area=roc_areas(typical, others),
        tried=dict(tried),
    )
