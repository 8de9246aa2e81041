from __future__ import annotations

import pytest

from app.errors import SettingsError
from app.settings import Settings, load_settings


def test_no_origin_by_default() -> None:
    assert Settings().cors_origins == ()


def test_several_origins_may_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    origins = ("https://example.org", "http://localhost:3000", "http://[::1]:8080")
    monkeypatch.setenv("ALEXNET_CORS_ORIGINS", ", ".join(origins))

    assert load_settings().cors_origins == origins


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "example.org",
        "https://*.example.org",
        "https://example.org/",
        "https://example.org/page",
        "https://EXAMPLE.org",
        "file:///etc/passwd",
        "https://example.org\x1b[31m",
    ],
)
def test_what_is_no_origin_is_refused(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    monkeypatch.setenv("ALEXNET_CORS_ORIGINS", f"https://example.org,{origin}")

    with pytest.raises(SettingsError, match="ALEXNET_CORS_ORIGINS cannot be used: ") as refusal:
        load_settings()

    assert f"{origin!r} is no origin; name every site as browsers do" in str(refusal.value)
    assert "\x1b" not in str(refusal.value)
