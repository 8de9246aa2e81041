from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from app.card import ModelCard, ModelCardError, read_card
from app.engines.choice import load_engines
from app.engines.engine import Engine, EngineUnavailableError
from app.settings import Device

NO_DRIVER = "No GPU driver was found on this machine; install the GPU's driver."


def load(device: Device, folder: Path, card: ModelCard | None = None) -> Engine:
    engines = load_engines(device, folder, card or read_card(folder), threads=1, max_batch=2)
    assert {engine.name for engine in engines} == {engines[0].name}
    return engines[0]


def machine_has_gpu(monkeypatch: pytest.MonkeyPatch, has_gpu: bool) -> None:
    monkeypatch.setattr("app.engines.choice.why_no_gpu", lambda: None if has_gpu else NO_DRIVER)


def test_auto_without_a_gpu_is_litert(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine_has_gpu(monkeypatch, False)

    assert load("auto", tiny_model).name == "LiteRT"


def test_file_may_be_written_over_once_it_is_loaded(tiny_model: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    engine = load("cpu", folder)
    (folder / "model.tflite").write_bytes(b"")

    assert engine.predict(np.zeros((3, 227, 227, 3), np.uint8)).probabilities.shape == (3, 2)


def test_model_that_cannot_be_run_is_refused(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("Encountered unresolved custom op: Party.")

    monkeypatch.setattr("app.engines.litert.LiteRTEngine.predict", fail)

    with pytest.raises(ModelCardError, match=r"cannot be run \(RuntimeError: .*Party\.\); export"):
        load("cpu", tiny_model)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras's own, with NumPy 2
@pytest.mark.parametrize("device", ["auto", "gpu"])
def test_gpu_is_taken_where_there_is_one(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, device: Device
) -> None:
    machine_has_gpu(monkeypatch, True)

    assert load(device, tiny_model).name == "Keras"


def test_auto_without_a_keras_file_is_litert(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine_has_gpu(monkeypatch, True)
    for name in ("model.tflite", "model.json"):
        shutil.copy(tiny_model / name, tmp_path)

    assert load("auto", tmp_path).name == "LiteRT"


def test_cpu_does_not_look_for_a_gpu(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine_has_gpu(monkeypatch, True)

    assert load("cpu", tiny_model).name == "LiteRT"


def test_gpu_without_one_says_why(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine_has_gpu(monkeypatch, False)

    with pytest.raises(EngineUnavailableError, match=NO_DRIVER):
        load("gpu", tiny_model)


def test_card_that_promises_what_the_model_cannot_tell_is_refused(tiny_model: Path) -> None:
    card = read_card(tiny_model).model_copy(update={"domain": None})

    with pytest.raises(ModelCardError, match="how typical a picture is"):
        load("cpu", tiny_model, card)


def test_other_number_of_labels_is_refused(tiny_model: Path) -> None:
    card = read_card(tiny_model).model_copy(update={"labels": ("red", "green", "blue")})

    with pytest.raises(ModelCardError, match="names 3 labels"):
        load("cpu", tiny_model, card)
