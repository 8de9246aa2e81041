from __future__ import annotations

import numpy as np

from training.folding import fold_normalization
from training.model import build_alexnet


def test_a_folded_network_is_plain_and_answers_the_same() -> None:
    random = np.random.default_rng(0)
    network = build_alexnet(2, side=99, width=1 / 32, normalize_all=True)
    for layer in network.layers:
        # Statistics far from the initial 0 and 1, so that folding has something to do.
        layer.set_weights(
            [random.uniform(0.05, 0.3, weight.shape) for weight in layer.get_weights()]
        )
    pixels = random.integers(0, 256, (3, 99, 99, 3), dtype=np.uint8)

    plain = fold_normalization(network)

    assert [layer.name for layer in plain.layers] == [
        layer.name for layer in build_alexnet(2, side=99, width=1 / 32).layers
    ]
    hidden = [
        model.get_layer(name).output
        for model, name in ((network, "fulconnect_3_relu"), (plain, "fulconnect_3"))
    ]
    answers = [
        type(model)(model.input, output).predict_on_batch(pixels)
        for model, output in zip((network, plain), hidden, strict=True)
    ]
    np.testing.assert_allclose(answers[1], answers[0], rtol=1e-3)


def test_a_plain_network_stays_as_it_is() -> None:
    network = build_alexnet(2, side=99, width=1 / 32)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 99, 99, 3), dtype=np.uint8)

    plain = fold_normalization(network)

    np.testing.assert_array_equal(plain.predict_on_batch(pixels), network.predict_on_batch(pixels))
