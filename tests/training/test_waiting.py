from __future__ import annotations

from collections.abc import Iterator

import pytest

from training import waiting
from training.waiting import Waiting


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


def test_only_the_time_of_the_iterator_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(waiting, "time", clock)

    def slow() -> Iterator[str]:
        for item in "ab":
            clock.now += 2
            yield item

    measured, items = Waiting(), []
    for item in measured.timed(slow()):
        clock.now += 10
        items.append(item)

    assert items == ["a", "b"]
    assert measured.seconds == 4


def test_nothing_is_taken_ahead() -> None:
    items = iter("abc")

    assert next(Waiting().timed(items)) == "a"
    assert list(items) == ["b", "c"]
