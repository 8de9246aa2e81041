from __future__ import annotations

import pytest

from app.errors import SettingsError
from app.settings import load_settings


def test_defaults_are_safe() -> None:
    settings = load_settings()

    assert settings.device == "auto"
    assert settings.max_upload_bytes == 20 * 2**20
    assert settings.max_batch_files == 64
    assert settings.max_batch_bytes == 100 * 2**20
    assert settings.max_pixels == 64_000_000
    assert settings.max_decode_seconds == 5
    assert settings.threads >= 1
    assert settings.workers == 1
    assert settings.max_batch is None


def test_environment_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALEXNET_DEVICE", "cpu")
    monkeypatch.setenv("ALEXNET_MAX_BATCH", "3")

    assert load_settings().device == "cpu"
    assert load_settings().max_batch == 3


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ALEXNET_DEVICE", "tpu"),
        ("ALEXNET_MAX_UPLOAD_BYTES", "0"),
        ("ALEXNET_MAX_BATCH_FILES", "0"),
        ("ALEXNET_MAX_BATCH_BYTES", "1"),
        ("ALEXNET_MAX_PIXELS", "999999999"),
        ("ALEXNET_MAX_DECODE_SECONDS", "0"),
        ("ALEXNET_MAX_DECODE_SECONDS", "61"),
        ("ALEXNET_MAX_BATCH", "0"),
        ("ALEXNET_WORKERS", "0"),
        ("ALEXNET_WORKERS", "two"),
        ("ALEXNET_MAX_QUEUE", "-1"),
        ("ALEXNET_THREADS", "0"),
        ("ALEXNET_THREADS", "many"),
    ],
)
def test_unsafe_value_is_refused(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError, match=f"{variable} cannot be used: .* Received: '{value}'"):
        load_settings()


def test_workers_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.settings.usable_cores", lambda: 8)

    for workers, threads in ((1, 8), (3, 2), (16, 1)):
        monkeypatch.setenv("ALEXNET_WORKERS", str(workers))
        assert load_settings().threads == threads
