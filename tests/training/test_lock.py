from __future__ import annotations

import threading
from pathlib import Path

import pytest

from training.lock import locked


def test_a_second_holder_is_refused_until_the_first_has_gone(tmp_path: Path) -> None:
    path = tmp_path / ".lock"

    with locked(path), pytest.raises(BlockingIOError), locked(path):
        pass

    with locked(path):
        assert path.exists()


def test_a_second_holder_may_wait_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = threading.Event()
    monkeypatch.setattr("builtins.print", lambda *_, **__: waits.set())
    order = []

    def second() -> None:
        with locked(tmp_path / ".lock", waiting="Waiting."):
            order.append("second")

    thread = threading.Thread(target=second)
    with locked(tmp_path / ".lock"):
        thread.start()
        assert waits.wait(timeout=60)
        order.append("first")
    thread.join(timeout=60)

    assert order == ["first", "second"]
