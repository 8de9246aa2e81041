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
    assert settings.cors_origins == ()
    assert not settings.open_metrics
    assert settings.log_format == "console"
    assert settings.log_level == "info"
    assert not settings.access_log
    assert settings.shutdown_seconds == 20


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
        ("ALEXNET_MAX_CONNECTIONS", "0"),
        ("ALEXNET_MAX_HEADER_BYTES", "10"),
        ("ALEXNET_MAX_HELD_BYTES", "104857599"),
        ("ALEXNET_MAX_FORM_FIELDS", "-1"),
        ("ALEXNET_MAX_PART_HEADER_BYTES", "0"),
        ("ALEXNET_HEADER_SECONDS", "0"),
        ("ALEXNET_TRANSFER_SECONDS", "inf"),
        ("ALEXNET_ANSWER_SECONDS", "nan"),
        ("ALEXNET_KEEP_ALIVE_SECONDS", "0"),
        ("ALEXNET_LOG_FORMAT", "xml"),
        ("ALEXNET_LOG_LEVEL", "loud"),
        ("ALEXNET_ACCESS_LOG", "maybe"),
        ("ALEXNET_SHUTDOWN_SECONDS", "-1"),
        ("ALEXNET_SHUTDOWN_SECONDS", "inf"),
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


def test_held_bytes_suffice_for_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALEXNET_MAX_BATCH_BYTES", str(2**30))
    with pytest.raises(SettingsError, match="One request may have 1073741824 bytes"):
        load_settings()

    monkeypatch.setenv("ALEXNET_MAX_HELD_BYTES", str(2**30))
    assert load_settings().max_held_bytes == 2**30


def test_workers_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.settings.usable_cores", lambda: 8)

    for workers, threads in ((1, 8), (3, 2), (16, 1)):
        monkeypatch.setenv("ALEXNET_WORKERS", str(workers))
        assert load_settings().threads == threads
