from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.__main__ import main


def test_missing_model_is_one_sentence_and_exit_code_1(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "app"],
        env={**os.environ, "ALEXNET_MODEL": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 1
    assert result.stderr.startswith("The model card ")
    assert result.stderr.count("\n") == 1


def test_unsafe_setting_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["python -m app"])
    monkeypatch.setenv("ALEXNET_MAX_BATCH", "0")

    with pytest.raises(SystemExit, match="ALEXNET_MAX_BATCH cannot be used"):
        main()
