"""What Ray has: this machine, or the cluster that RAY_ADDRESS names."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from training.errors import ClusterError
from training.form import Form

_ADDRESS = "RAY_ADDRESS"


class Actors(NamedTuple):
    """As many processes as can score at once, and what each of them has to itself."""

    number: int
    cpus: int
    gpus: int


def require_ray() -> None:
    """Raise ClusterError unless Ray Data can be imported."""
    missing = [name for name in ("ray", "pyarrow") if importlib.util.find_spec(name) is None]
    if missing:
        raise ClusterError(
            f"{' and '.join(missing)} cannot be found, which scoring in bulk needs; run "
            "'python -m pip install -r requirements/ray.txt'."
        )


@contextlib.contextmanager
def ray_running() -> Iterator[None]:
    """Connect to the cluster that is named, or start Ray here, unless that is done already."""
    import ray

    if ray.is_initialized():
        yield
        return
    ray.init(
        os.environ.get(_ADDRESS, "local"),
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.WARNING,
    )
    try:
        yield
    finally:
        ray.shutdown()


def share_out(nodes: Sequence[Mapping[str, Any]], form: Form) -> Actors:
    """Give LiteRT's actors a core each, and Keras's a GPU and their share of its machine's cores.

    Args:
        nodes: As `ray.nodes()` tells of them.
        form: Which file of the model is run.

    Raises:
        ClusterError: It is Keras's, and there is no GPU.
    """
    resources = [node["Resources"] for node in nodes if node["Alive"]]
    if form == "litert":
        return Actors(
            number=max(1, int(sum(each.get("CPU", 0) for each in resources))), cpus=1, gpus=0
        )
    with_gpus = [each for each in resources if each.get("GPU", 0) >= 1]
    if not with_gpus:
        raise ClusterError(
            "--form keras scores on GPUs, and Ray sees none; leave it out to score with LiteRT "
            "on the CPU."
        )
    return Actors(
        number=int(sum(each["GPU"] for each in with_gpus)),
        cpus=max(1, min(int(each.get("CPU", 0) // each["GPU"]) for each in with_gpus)),
        gpus=1,
    )
