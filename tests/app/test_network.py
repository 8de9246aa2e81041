from __future__ import annotations

import resource

import pytest

from app.errors import StartupError
from app.network import allow_connections
from app.settings import Settings

Limits = tuple[int, int]


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[Limits]:
    """The limits of open files that were set, the first and the last."""
    limits = [(256, 1000)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, chosen: limits.append(chosen))
    return limits


def test_files_are_allowed_as_connections_take_them(limits: list[Limits]) -> None:
    allow_connections(Settings(max_connections=500))

    ((files, hard),) = limits[1:]
    assert 500 < files < 1000
    assert hard == 1000


def test_limit_that_suffices_is_left(limits: list[Limits]) -> None:
    allow_connections(Settings(max_connections=10))

    assert len(limits) == 1


@pytest.mark.usefixtures("limits")
def test_more_connections_than_files_are_refused() -> None:
    with pytest.raises(StartupError, match=r"set it to (\d+) or less, or raise") as refusal:
        allow_connections(Settings(max_connections=5000))

    most = int(str(refusal.value).split("set it to ")[1].split()[0])
    allow_connections(Settings(max_connections=most))
    with pytest.raises(StartupError):
        allow_connections(Settings(max_connections=most + 1))


def test_no_limit_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "getrlimit", lambda _: unlimited)

    allow_connections(Settings(max_connections=5000))
