from __future__ import annotations

import keras
import numpy as np
import pytest

from tests.training.workshop import Workshop
from training.data import load_dataset
from training.neither import draw_neither
from training.run import Run
from training.served import LabelledPictures, Served, make_served
from training.source import open_source
from training.split import stratified_split


@pytest.fixture(scope="module")
def network(workshop: Workshop) -> keras.Model:
    return keras.saving.load_model(Run(workshop.run).read_best(), compile=False)


@pytest.fixture(scope="module")
def pictures(workshop: Workshop, network: keras.Model) -> LabelledPictures:
    with open_source(workshop.data) as source:
        dataset = load_dataset(source, network.input_shape[1], workshop.cache)
    classes = dataset.classes()
    return LabelledPictures(dataset.pixels, classes, stratified_split(classes, seed=1))


@pytest.fixture(scope="module")
def served(network: keras.Model, pictures: LabelledPictures) -> Served:
    side = network.input_shape[1]
    neither = {kind: draw_neither(kind, 20, side) for kind in ("plain colours", "textures")}
    return make_served(network, pictures, neither)


def test_answers_stay_and_become_calibrated(
    served: Served, network: keras.Model, pictures: LabelledPictures
) -> None:
    positions = pictures.split.validation
    pixels = pictures.pixels[positions]
    before = network.predict_on_batch(pixels)

    probabilities, typicality = served.network.predict_on_batch(pixels)

    assert typicality.shape == (len(positions), 1)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), before.argmax(axis=1))
    log_odds, log_odds_before = (
        np.log(each[:, 0] / each[:, 1]) for each in (probabilities, before)
    )
    np.testing.assert_allclose(log_odds * served.temperature, log_odds_before, rtol=0.02, atol=0.02)


def test_best_of_the_scores_is_served(served: Served) -> None:
    assert len(served.tried) == 5
    assert served.tried[served.score] == max(served.tried.values()) > 0.5
