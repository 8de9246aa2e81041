from __future__ import annotations

import numpy as np
import pytest
from keras import layers

from training.model import build_alexnet

TABLE = {
    "pixels": (227, 227, 3),
    "convol_1": (55, 55, 96),
    "maxpool_1": (27, 27, 96),
    "norm_1": (27, 27, 96),
    "convol_2": (27, 27, 256),
    "maxpool_2": (13, 13, 256),
    "norm_2": (13, 13, 256),
    "convol_3": (13, 13, 384),
    "convol_4": (13, 13, 384),
    "convol_5": (13, 13, 256),
    "maxpool_3": (6, 6, 256),
    "fulconnect_1": (4096,),
    "fulconnect_2": (4096,),
    "fulconnect_3": (1000,),
    "fulconnect_4": (2,),
}

# (inputs * kernel area + bias) * outputs, and four numbers a normalized channel
CONVOLUTIONS = (
    (3 * 121 + 1) * 96
    + (96 * 25 + 1) * 256
    + (256 * 9 + 1) * 384
    + (384 * 9 + 1) * 384
    + (384 * 9 + 1) * 256
)
DENSE = (9216 + 1) * 4096 + (4096 + 1) * 4096 + (4096 + 1) * 1000 + (1000 + 1) * 2
NORMALIZATIONS = 4 * (96 + 256 + 4096)


def test_layers_and_parameters_are_those_of_the_table() -> None:
    network = build_alexnet(2)

    assert {name: network.get_layer(name).output.shape[1:] for name in TABLE} == TABLE
    assert network.count_params() == CONVOLUTIONS + DENSE + NORMALIZATIONS
    assert [layer.rate for layer in network.layers if isinstance(layer, layers.Dropout)] == [
        0.4
    ] * 3
    activations = {
        layer.name: layer.activation.__name__
        for layer in network.layers
        if isinstance(layer, layers.Conv2D | layers.Dense)
    }
    assert activations.pop("fulconnect_4") == "softmax"
    assert set(activations.values()) == {"relu"}


def test_answers_are_probabilities_of_raw_pixels() -> None:
    network = build_alexnet(3, width=1 / 32)
    pixels = np.random.default_rng(0).integers(0, 256, (4, 227, 227, 3), dtype=np.uint8)

    probabilities = network.predict_on_batch(pixels)

    assert probabilities.shape == (4, 3)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    scaled = network.get_layer("rescaling")(pixels)
    assert float(np.max(scaled)) == pytest.approx(1.0)


@pytest.mark.parametrize(("side", "last"), [(99, 2), (131, 3), (163, 4), (195, 5), (227, 6)])
def test_smaller_sides_shrink_the_last_feature_map(side: int, last: int) -> None:
    network = build_alexnet(2, side=side, width=1 / 32)

    assert network.get_layer("maxpool_3").output.shape[1:] == (last, last, 8)


def test_all_hidden_layers_can_be_normalized() -> None:
    network = build_alexnet(2, width=1 / 32, normalize_all=True)

    names = [layer.name for layer in network.layers]
    for hidden in ("convol_1", "convol_5", "fulconnect_1", "fulconnect_3"):
        position = names.index(hidden)
        assert names[position : position + 3] == [
            hidden,
            f"{hidden}_normalization",
            f"{hidden}_relu",
        ]


@pytest.mark.parametrize(
    ("arguments", "received"),
    [
        ({"classes": 1}, "Received: 1"),
        ({"classes": 2, "side": 224}, "Received: 224"),
        ({"classes": 2, "width": 0.3}, "Received: 0.3"),
    ],
)
def test_impossible_networks_are_refused(arguments: dict[str, float], received: str) -> None:
    with pytest.raises(ValueError, match=received):
        build_alexnet(**arguments)
