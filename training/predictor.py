"""A trained network that answers, from a run or in either exported format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from app.card import CARD_NAME, DataSummary, Domain, read_card, verified_file
from app.cores import usable_cores
from app.engines.engine import Answers
from app.engines.keras import keras_answers
from app.engines.litert import LiteRTEngine
from training.errors import RunError, brief
from training.form import FILES, Form
from training.run import Run

Predict = Callable[[NDArray[np.uint8]], Answers]
"""From uint8 pictures (n, side, side, 3), n >= 1."""

_BATCH = 32


class Predictor(NamedTuple):
    """A network, and what is needed to use it."""

    name: str
    labels: tuple[str, ...]
    side: int
    """Of the pictures, in pixels."""
    data: DataSummary
    """What it was trained on."""
    predict: Predict
    domain: Domain | None
    """None where the network does not tell how typical a picture is."""


def load_predictor(folder: Path, form: Form = "litert") -> Predictor:
    """Load the best weights of a run, or an exported model.

    Args:
        folder: Of a run or of an exported model.
        form: Which file of an exported model; a run has but one.

    Raises:
        RunError: The folder holds neither, or a run without a finished full-size epoch or with
            damaged weights.
        ModelCardError: The exported model does not match its card.
    """
    if (folder / CARD_NAME).is_file():
        return _exported(folder, form)
    run = Run(folder)
    network = load_best(run)
    return Predictor(
        name=folder.name,
        labels=run.read_labels(),
        side=network.input_shape[1],
        data=run.read_summary(),
        predict=keras_predict(network),
        domain=None,
    )


def load_best(run: Run) -> keras.Model:
    """The network with the best weights of a run.

    Raises:
        RunError: There is none yet, or it is damaged.
    """
    return load_network(run.read_best(), "train again")


def load_network(path: Path, remedy: str) -> keras.Model:
    """The network in a file of Keras's.

    Raises:
        RunError: It is damaged; `remedy` says what to do.
    """
    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:  # Keras, zipfile and HDF5 raise many types for damaged files
        raise RunError(f"{path} is damaged ({brief(error)}); {remedy}.") from error


def keras_predict(network: keras.Model) -> Predict:
    """The network's answers as arrays."""
    return lambda pixels: keras_answers(network, pixels, len(pixels))


def litert_predict(path: Path, side: int) -> Predict:
    """The same of a LiteRT file, through the engine that serves it."""
    return LiteRTEngine(path, (side, side, 3), usable_cores()).predict


def predict_all(
    predict: Predict,
    pixels: NDArray[np.uint8],
    positions: NDArray[np.intp],
    title: str,
) -> Answers:
    """The answers to the pictures at `positions`, with a progress bar."""
    answers = [predict(np.asarray(pixels[chosen])) for chosen in chunks(positions, title)]
    typicality = [each.typicality for each in answers if each.typicality is not None]
    return Answers(
        np.concatenate([each.probabilities for each in answers]),
        np.concatenate(typicality) if typicality else None,
    )


def chunks(positions: NDArray[np.intp], title: str) -> Iterator[NDArray[np.intp]]:
    """Yield positions a batch at a time, with a progress bar."""
    with tqdm(total=len(positions), desc=title, unit="img", leave=False) as bar:
        for start in range(0, len(positions), _BATCH):
            yield positions[start : start + _BATCH]
            bar.update(min(_BATCH, len(positions) - start))


def _exported(folder: Path, form: Form) -> Predictor:
    card = read_card(folder)
    side = card.input_shape[0]
    path = verified_file(folder, card, FILES[form])
    if form == "litert":
        predict = litert_predict(path, side)
    else:
        predict = keras_predict(keras.saving.load_model(path, compile=False))
    return Predictor(f"{card.name}-{form}", card.labels, side, card.data, predict, card.domain)
