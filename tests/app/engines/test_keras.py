from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from app.errors import ModelCardError

SHAPE = (227, 227, 3)

# Keras on TensorFlow meets NumPy 2's and TensorFlow's own deprecations.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def loaded(tiny_model: Path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from app.engines.keras import KerasEngine

        return KerasEngine(tiny_model / "model.keras", SHAPE)


def test_padding_leaves_the_probabilities_alone(loaded, tiny_model: Path) -> None:
    from app.engines.litert import LiteRTEngine

    pictures = np.random.default_rng(0).integers(0, 256, (3, *SHAPE), np.uint8)
    reference = LiteRTEngine(tiny_model / "model.tflite", SHAPE, threads=1)

    for size in (1, 3):
        answers = loaded.predict(pictures[:size])
        assert answers.probabilities.shape == (size, 2)
        for answer, expected in zip(answers, reference.predict(pictures[:size]), strict=True):
            assert answer.dtype == np.float32
            np.testing.assert_allclose(answer, expected, atol=1e-5)


def test_other_input_shape_is_refused(tiny_model: Path) -> None:
    from app.engines.keras import KerasEngine

    with pytest.raises(ModelCardError, match="its card says"):
        KerasEngine(tiny_model / "model.keras", (224, 224, 3))


def test_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    from app.engines.keras import KerasEngine

    path = tmp_path / "model.keras"
    path.write_bytes(b"not a model")

    with pytest.raises(ModelCardError, match="cannot be loaded by Keras"):
        KerasEngine(path, SHAPE)


def test_file_with_code_in_it_is_refused(tmp_path: Path) -> None:
    import keras

    from app.engines.keras import KerasEngine

    pixels = keras.Input(SHAPE, dtype="uint8")
    code = keras.layers.Lambda(lambda x: x, output_shape=SHAPE)
    keras.Model(pixels, code(pixels)).save(tmp_path / "model.keras")

    with pytest.raises(ModelCardError, match=r"cannot be loaded by Keras .*safe"):
        KerasEngine(tmp_path / "model.keras", SHAPE)
