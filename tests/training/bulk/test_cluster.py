from __future__ import annotations

import importlib.util

import pytest

from training.bulk.cluster import Actors, require_ray, share_out
from training.errors import ClusterError


def node(cpus: int, gpus: int = 0, *, alive: bool = True) -> dict[str, object]:
    resources = {"CPU": float(cpus), "memory": 1e9, **({"GPU": float(gpus)} if gpus else {})}
    return {"Alive": alive, "Resources": resources}


def test_litert_has_an_actor_for_each_core() -> None:
    nodes = [node(8), node(16, gpus=1), node(64, alive=False), {"Alive": True, "Resources": {}}]

    assert share_out(nodes, "litert") == Actors(number=24, cpus=1, gpus=0)


def test_keras_has_an_actor_for_each_gpu() -> None:
    nodes = [node(64), node(16, gpus=2), node(32, gpus=2)]

    assert share_out(nodes, "keras") == Actors(number=4, cpus=8, gpus=1)


def test_keras_without_a_gpu_is_told() -> None:
    with pytest.raises(ClusterError, match="Ray sees none"):
        share_out([node(8)], "keras")


def test_a_missing_package_is_told_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    require_ray()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ray" else name)

    with pytest.raises(ClusterError, match=r"^ray cannot be found.*requirements/ray\.txt"):
        require_ray()
