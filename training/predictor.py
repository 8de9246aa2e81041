"""A trained network that answers, from a run or in either exported format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from app.card import CARD_NAME, DataSummary, read_card, verified_file
from app.cores import usable_cores
from app.engines.litert import FILE_NAME as LITERT_FILE
from app.engines.litert import LiteRTEngine
from training.run import Run

Form = Literal["litert", "keras"]

Predict = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""From uint8 pictures (n, side, side, 3) to probabilities (n, classes), n >= 1."""

KERAS_FILE = "model.keras"
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


def load_predictor(folder: Path, form: Form = "litert") -> Predictor:
    """Load the best weights of a run, or an exported model.

    Args:
        folder: Of a run or of an exported model.
        form: Which file of an exported model; a run has but one.

    Raises:
        RunError: The folder holds neither, or a run without a finished full-size epoch.
        ModelCardError: The exported model does not match its card.
    """
    if (folder / CARD_NAME).is_file():
        return _exported(folder, form)
    run = Run(folder)
    network = keras.saving.load_model(run.read_best(), compile=False)
    return Predictor(
        name=folder.name,
        labels=run.read_labels(),
        side=network.input_shape[1],
        data=run.read_summary(),
        predict=keras_predict(network),
    )


def keras_predict(network: keras.Model) -> Predict:
    """The network's answers as an array."""

    def predict(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(network.predict_on_batch(pixels), dtype=np.float32)

    return predict


def litert_predict(path: Path, side: int) -> Predict:
    """The same of a LiteRT file, through the engine that serves it."""
    return LiteRTEngine(path, (side, side, 3), usable_cores()).predict


def predict_all(
    predict: Predict,
    pixels: NDArray[np.uint8],
    positions: NDArray[np.intp],
    title: str,
) -> NDArray[np.float32]:
    """Probabilities (m, classes) of the pictures at `positions`, with a progress bar."""
    bar = tqdm(total=len(positions), desc=title, unit="img", leave=False)
    answers = []
    for chosen in _chunks(positions):
        answers.append(predict(np.asarray(pixels[chosen])))
        bar.update(len(chosen))
    bar.close()
    return np.concatenate(answers)


def _chunks(positions: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    for start in range(0, len(positions), _BATCH):
        yield positions[start : start + _BATCH]


def _exported(folder: Path, form: Form) -> Predictor:
    card = read_card(folder)
    side = card.input_shape[0]
    if form == "litert":
        predict = litert_predict(verified_file(folder, card, LITERT_FILE), side)
    else:
        path = verified_file(folder, card, KERAS_FILE)
        predict = keras_predict(keras.saving.load_model(path, compile=False))
    return Predictor(f"{card.name}-{form}", card.labels, side, card.data, predict)
