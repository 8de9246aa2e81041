from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.card import ModelCard, read_card
from app.engines.choice import load_keras, takes_gpu
from app.engines.engine import EngineUnavailableError
from app.errors import ModelCardError
from app.settings import Device

NO_DRIVER = "No GPU driver was found on this machine; install the GPU's driver."

# Keras's own, with NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def machine_has_gpu(monkeypatch: pytest.MonkeyPatch, has_gpu: bool) -> None:
    monkeypatch.setattr("app.engines.choice.why_no_gpu", lambda: None if has_gpu else NO_DRIVER)


def test_auto_without_a_gpu_takes_none(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine_has_gpu(monkeypatch, False)

    assert not takes_gpu("auto", tiny_model)


@pytest.mark.parametrize("device", ["auto", "gpu"])
def test_gpu_is_taken_where_there_is_one(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, device: Device
) -> None:
    machine_has_gpu(monkeypatch, True)

    assert takes_gpu(device, tiny_model)


def test_auto_without_a_keras_file_takes_none(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine_has_gpu(monkeypatch, True)
    for name in ("model.tflite", "model.json"):
        shutil.copy(tiny_model / name, tmp_path)

    assert not takes_gpu("auto", tmp_path)


def test_cpu_does_not_look_for_a_gpu(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine_has_gpu(monkeypatch, True)

    assert not takes_gpu("cpu", tiny_model)


def test_gpu_without_one_says_why(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine_has_gpu(monkeypatch, False)

    with pytest.raises(EngineUnavailableError, match=NO_DRIVER):
        takes_gpu("gpu", tiny_model)


def test_keras_is_loaded(tiny_model: Path) -> None:
    assert load_keras(tiny_model, read_card(tiny_model), max_batch=2).name == "Keras"


def test_model_that_cannot_be_run_is_refused(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("No algorithm worked!")

    monkeypatch.setattr("app.engines.keras.KerasEngine.predict", fail)

    with pytest.raises(ModelCardError, match=r"cannot be run \(RuntimeError: .*worked!\); export"):
        load(tiny_model)


def test_card_that_promises_what_the_model_cannot_tell_is_refused(tiny_model: Path) -> None:
    card = read_card(tiny_model).model_copy(update={"domain": None})

    with pytest.raises(ModelCardError, match="how typical a picture is"):
        load(tiny_model, card)


def test_other_number_of_labels_is_refused(tiny_model: Path) -> None:
    card = read_card(tiny_model).model_copy(update={"labels": ("red", "green", "blue")})

    with pytest.raises(ModelCardError, match="names 3 labels"):
        load(tiny_model, card)


def load(folder: Path, card: ModelCard | None = None) -> None:
    load_keras(folder, card or read_card(folder), max_batch=2)
