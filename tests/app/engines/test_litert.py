from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.engines.litert import LiteRTEngine
from app.errors import ModelCardError

SHAPE = (227, 227, 3)


@pytest.fixture
def engine(tiny_model: Path) -> LiteRTEngine:
    return LiteRTEngine(tiny_model / "model.tflite", SHAPE, threads=1)


def test_any_batch_size_gives_the_same_probabilities(engine: LiteRTEngine) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (5, *SHAPE), np.uint8)
    singly = [engine.predict(pictures[i : i + 1]) for i in range(5)]

    for size in (5, 2, 1, 3):
        answers = engine.predict(pictures[:size])
        for together, alone in zip(answers, zip(*singly, strict=True), strict=True):
            assert together.dtype == np.float32
            np.testing.assert_allclose(together, np.concatenate(alone)[:size], atol=1e-6)
        assert answers.probabilities.shape == (size, 2)
        assert answers.typicality.shape == (size,)


def test_answers_are_not_overwritten_by_the_next(engine: LiteRTEngine) -> None:
    first = engine.predict(np.zeros((1, *SHAPE), np.uint8)).probabilities
    before = first.copy()
    red = np.zeros((1, *SHAPE), np.uint8)
    red[..., 0] = 255
    engine.predict(red)

    np.testing.assert_array_equal(first, before)


def test_other_input_shape_is_refused(tiny_model: Path) -> None:
    with pytest.raises(ModelCardError, match="its card says uint8"):
        LiteRTEngine(tiny_model / "model.tflite", (224, 224, 3), threads=1)


def test_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(b"not a model")

    with pytest.raises(ModelCardError, match="cannot be loaded by LiteRT"):
        LiteRTEngine(path, SHAPE, threads=1)
