from __future__ import annotations

import os
import subprocess
import sys

import pytest

from training.backend import end_without_keras


def test_unknown_backend_is_one_sentence_and_exit_code_1() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "training", "table", "runs"],
        env={**os.environ, "KERAS_BACKEND": "nowhere"},
        check=False,
        capture_output=True,
        text=True,
    )

    assert ended.returncode == 1
    assert ended.stderr == (
        "python -m training: Keras cannot be used (Unable to import backend : nowhere); set "
        "KERAS_BACKEND=tensorflow or jax, whichever is installed, or install "
        "requirements/train.txt.\n"
    )


def test_backend_that_is_not_installed_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keras", None)  # its import fails, as with a missing backend

    with pytest.raises(SystemExit, match=r"Keras cannot be used \(.+\); set KERAS_BACKEND="):
        end_without_keras()
