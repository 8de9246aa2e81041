from __future__ import annotations

from hardening.losses import Asked, Loss

LOST_AT = 10.0


def loss(*asked: Asked) -> Loss:
    return Loss("a node", LOST_AT, back_seconds=3.0, asked=list(asked))


def test_request_is_in_flight_from_its_beginning_to_its_end() -> None:
    asked = [Asked(9, 11, ""), Asked(10, 12, "broken"), Asked(8, 10, ""), Asked(10.5, 11, "")]

    assert loss(*asked).in_flight == 2


def test_failures_are_told_apart_by_when_they_were_sent() -> None:
    lost = loss(Asked(9, 11, "broken"), Asked(11, 12, "broken"), Asked(11, 12, ""))

    assert len(lost.failed) == 2
    assert lost.failed_later == 1


def test_silence_is_broken_by_good_answers_alone() -> None:
    assert loss(Asked(9, 11, ""), Asked(9, 13, "broken"), Asked(9, 16, "")).longest_silence == 5


def test_silence_begins_with_the_loss() -> None:
    assert loss(Asked(9, 14, ""), Asked(9, 15, "")).longest_silence == 4


def test_nothing_but_failures_is_silence_without_end() -> None:
    assert loss(Asked(9, 14, "broken")).longest_silence == float("inf")
