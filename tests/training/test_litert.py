from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from training.litert import write_litert
from training.model import build_alexnet


@pytest.fixture(scope="module")
def network() -> keras.Model:
    keras.utils.set_random_seed(0)
    return build_alexnet(2, width=1 / 16)


@pytest.fixture(scope="module")
def file(network: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("litert") / "model.tflite"
    write_litert(path, network)
    return path


def test_large_dense_kernels_take_half_a_byte_and_the_others_one(
    file: Path, network: keras.Model
) -> None:
    kernels = {layer.name: layer.kernel for layer in network.layers if hasattr(layer, "kernel")}
    large = sum(int(np.prod(kernels.pop(f"fulconnect_{number}").shape)) for number in (1, 2, 3))
    others = sum(int(np.prod(kernel.shape)) for kernel in kernels.values())

    # Each block of 32 has a scale of two bytes; names and biases are some kilobytes.
    expected = large * (1 / 2 + 2 / 32) + others
    assert expected < file.stat().st_size < expected + 60_000


def test_answers_are_nearly_those_of_the_network(file: Path, network: keras.Model) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, 227, 227, 3), np.uint8)
    interpreter = Interpreter(model_path=str(file), num_threads=1)
    interpreter.resize_tensor_input(0, pictures.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pictures)
    interpreter.invoke()

    answers = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(answers, network.predict_on_batch(pictures), atol=0.02)


def test_nothing_else_is_left_beside_the_file(file: Path) -> None:
    assert list(file.parent.iterdir()) == [file]
