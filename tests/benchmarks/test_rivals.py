from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from benchmarks.rivals.catalogue import litserve, mosec
from tests.app.pictures import picture

MODEL = Path("models/dogs-vs-cats")


def test_the_tutorial_answers_with_the_model_of_this_repository(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BENCH_KERAS_FILE", str(MODEL / "model.keras"))
    tutorial = importlib.import_module("benchmarks.rivals.tutorial")

    answer = TestClient(tutorial.app).post("/predict", files={"file": picture()})

    assert answer.status_code == 200
    assert answer.json()["label"] in {"cat", "dog"}
    assert 0.5 <= answer.json()["score"] <= 1


def test_every_setting_is_tried_once() -> None:
    for settings in (litserve, mosec):
        tried = [rival.setting for rival in settings(Path("model.tflite"), 2, "pillow")]
        assert len(set(tried)) == len(tried) > 6
