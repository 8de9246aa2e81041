from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from app.engines import gpu


def test_without_a_driver_keras_is_not_even_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "_has_driver", lambda: False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: pytest.fail("looked for Keras"))

    assert "driver" in str(gpu.why_no_gpu())


def test_driver_without_keras_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "_has_driver", lambda: True)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    assert "extra 'gpu'" in str(gpu.why_no_gpu())


@pytest.mark.parametrize(("device", "usable"), [(None, False), ("gpu:0 Some GPU", True)])
def test_backend_decides(monkeypatch: pytest.MonkeyPatch, device: str | None, usable: bool) -> None:
    monkeypatch.setattr(gpu, "_has_driver", lambda: True)
    monkeypatch.setattr("app.engines.keras.gpu_device", lambda: device)

    assert (gpu.why_no_gpu() is None) == usable


def test_keras_that_fails_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(gpu, "_has_driver", lambda: True)
    monkeypatch.setattr("app.engines.keras.gpu_device", fail)
    assert "No usable temporary directory found" in str(gpu.why_no_gpu())

    monkeypatch.setitem(sys.modules, "app.engines.keras", None)  # its import fails
    sentence = str(gpu.why_no_gpu())
    assert "Keras cannot be used (ModuleNotFoundError: " in sentence
    assert "choose another backend with KERAS_BACKEND" in sentence


def test_driver_is_seen_by_its_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(gpu.platform, "system", lambda: "Linux")
    monkeypatch.setattr(gpu, "_DRIVER_NODES", (tmp_path / "nvidiactl",))
    monkeypatch.setattr("app.engines.keras.gpu_device", lambda: "gpu:0 Some GPU")
    assert gpu.why_no_gpu() is not None

    (tmp_path / "nvidiactl").touch()
    assert gpu.why_no_gpu() is None
