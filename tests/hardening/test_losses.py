from __future__ import annotations

import subprocess
from collections.abc import Iterator

import psutil
import pytest

from hardening import crowd
from hardening.losses import Asked, Loss, lose
from hardening.reference import ask

AT, GONE = 10.0, 10.2


class Node:
    """A process that stands for a node, and for each replica on it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(["sleep", "600"])

    def family(self) -> list[psutil.Process]:
        return [psutil.Process(self.process.pid)]

    def replicas(self, _: str) -> list[psutil.Process]:
        return self.family() if self.process.poll() is None else []


class Cluster:
    """Nodes that do nothing, beside a service that does without them."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.nodes = [Node() for _ in range(4)]

    def replicas(self, deployment: str) -> list[psutil.Process]:
        return [each for node in self.nodes for each in node.replicas(deployment)]

    def is_whole(self, _: int) -> bool:
        return True


@pytest.fixture
def cluster(port: int) -> Iterator[Cluster]:
    cluster = Cluster(port)
    yield cluster
    for node in cluster.nodes:
        node.process.kill()
        node.process.wait()


def loss(*asked: Asked) -> Loss:
    return Loss("a node", AT, GONE, back_seconds=3.0, asked=list(asked))


def test_request_is_in_flight_from_its_beginning_to_its_end() -> None:
    asked = [Asked(9, 11, ""), Asked(10.1, 12, "broken"), Asked(8, 10, ""), Asked(10.5, 11, "")]

    assert loss(*asked).in_flight == 2


def test_failures_are_told_apart_by_when_they_were_sent() -> None:
    lost = loss(Asked(10.1, 11, "broken"), Asked(11, 12, "broken"), Asked(11, 12, ""))

    assert len(lost.failed) == 2
    assert lost.failed_later == 1


def test_silence_is_broken_by_good_answers_alone() -> None:
    assert loss(Asked(9, 11, ""), Asked(9, 13, "broken"), Asked(9, 16, "")).longest_silence == 5


def test_silence_begins_with_the_loss() -> None:
    assert loss(Asked(9, 14, ""), Asked(9, 15, "")).longest_silence == 4


def test_nothing_but_failures_is_silence_without_end() -> None:
    assert loss(Asked(9, 14, "broken")).longest_silence == float("inf")


@pytest.mark.anyio
async def test_three_are_lost_while_clients_ask(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hardening.losses.QUIET_REQUESTS", 5)
    async with crowd.connected(cluster.port) as http:
        known = await ask(http)

    losses = await lose(cluster, 1, known)  # type: ignore[arg-type]  # does what one does

    assert [each.what for each in losses] == ["an engine replica", "an HTTP replica", "a node"]
    assert len(cluster.replicas("engine")) == 1
    assert all(each.asked for each in losses)
    assert [each.failed for each in losses] == [[], [], []]
