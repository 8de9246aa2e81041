from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from app.access.keys import KeyRing
from app.errors import SettingsError
from app.settings import Settings, load_settings
from tests.app.access.keys import KEY, OTHER_KEY, WRONG_KEY


def keys_of(settings: Settings) -> list[str]:
    return [key.get_secret_value() for key in settings.api_keys]


@pytest.mark.parametrize("separator", [",", ", ", "\n", "\r\n", " "])
def test_several_keys_may_be_set(monkeypatch: pytest.MonkeyPatch, separator: str) -> None:
    monkeypatch.setenv("ALEXNET_API_KEYS", f"{KEY}{separator}{OTHER_KEY}\n")

    assert keys_of(load_settings()) == [KEY, OTHER_KEY]


def test_keys_are_read_from_a_secret_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "alexnet_api_keys").write_text(f"{KEY}\n{OTHER_KEY}\n")
    monkeypatch.setattr("app.settings._SECRETS", tmp_path)

    assert keys_of(load_settings()) == [KEY, OTHER_KEY]

    monkeypatch.setenv("ALEXNET_API_KEYS", WRONG_KEY)
    assert keys_of(load_settings()) == [WRONG_KEY], "the environment comes first"


def test_without_secret_files_there_is_no_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("app.settings._SECRETS", tmp_path / "missing")

    assert keys_of(load_settings()) == []


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ("", "there is no key in it; unset it if everybody may ask"),
        (" ,\n", "there is no key in it"),
        (KEY + ",short-but-secret", "key 2 has less than 22 characters"),
        ("clé-of-more-than-22-characters", "key 1 has characters that a header cannot hold"),
        (KEY + "\x1b[31m", "key 1 has characters that a header cannot hold"),
    ],
)
def test_unsafe_keys_are_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, keys: str, why: str
) -> None:
    monkeypatch.setenv("ALEXNET_API_KEYS", keys)

    with pytest.raises(SettingsError) as refusal:
        load_settings()

    sentence = str(refusal.value)
    assert sentence.startswith(f"ALEXNET_API_KEYS cannot be used: {why}")
    assert sentence.endswith("; 'openssl rand -hex 32' makes one that is good.")
    for text in (sentence, str(refusal.value.__cause__)):
        assert not any(key in text for key in (KEY, "secret", "clé"))


def test_settings_do_not_show_keys() -> None:
    settings = Settings(api_keys=f"{KEY},{OTHER_KEY}")

    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert KEY not in shown
        assert OTHER_KEY not in shown


def test_ring_holds_its_keys_and_no_others() -> None:
    ring = KeyRing(Settings(api_keys=f"{KEY},{OTHER_KEY}").api_keys)

    assert ring.holds(KEY.encode())
    assert ring.holds(OTHER_KEY.encode())
    for wrong in (WRONG_KEY, "", KEY[:-1], KEY + "x", KEY.upper(), f"{KEY},{OTHER_KEY}"):
        assert not ring.holds(wrong.encode())
    assert not ring.holds(b"\xff\x00")


def test_ring_compares_all_keys_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[int, int]] = []

    def compare(shown: bytes, each: bytes) -> bool:
        compared.append((len(shown), len(each)))
        return shown == each

    monkeypatch.setattr("app.access.keys.compare_digest", compare)
    ring = KeyRing(Settings(api_keys=f"{KEY},{OTHER_KEY}").api_keys)
    for key in (KEY, OTHER_KEY, "short", "long" * 99):
        ring.holds(key.encode())

    assert compared == [(32, 32)] * 8


def make_folder(path: Path) -> None:
    path.mkdir()


def make_link_that_leads_out(path: Path) -> None:
    target = path.parents[1] / "keys.txt"
    target.write_text(KEY)
    path.symlink_to(target)


def make_no_text(path: Path) -> None:
    path.write_bytes(b"\xff" * 32)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (make_folder, "cannot be read (Is a directory)"),
        (make_link_that_leads_out, "leads out of its folder"),
        (make_no_text, "is no text in UTF-8"),
    ],
)
@pytest.mark.parametrize("name", ["alexnet_api_keys", "ALEXNET_API_KEYS"])
def test_secret_file_that_cannot_be_used_does_not_open_the_service(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    make: Callable[[Path], None],
    why: str,
    name: str,
) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "of_another_service").mkdir()
    make(folder / name)
    monkeypatch.setattr("app.settings._SECRETS", folder)

    with pytest.raises(SettingsError, match=re.escape(why)):
        load_settings()
