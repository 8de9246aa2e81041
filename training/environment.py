"""What a training is computed in, which its recipe does not say."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import keras

from training.run import Environment, Run


def current_environment(policy: str, device_count: int) -> Environment:
    """Precision, backend, devices, and the versions of Keras and of its backend."""
    backend = keras.backend.backend()
    return {
        "precision": policy,
        "backend": backend,
        "devices": device_count,
        "keras": keras.__version__,
        backend: importlib.import_module(backend).__version__,
    }


def note_environment(run: Run, now: Environment, *, resumed: bool) -> None:
    """Write to `run` what it is computed in from now on, and tell where its precision changes.

    A run that was begun before this was written down stays without it.

    Args:
        run: Where to write.
        now: From `current_environment`.
        resumed: Whether epochs were computed before.
    """
    before = run.read_environments() if resumed else []
    if resumed and (not before or before[-1] == now):
        return
    if resumed and before[-1].get("precision") != now["precision"]:
        precision = before[-1].get("precision")
        print(
            f"{run.folder} was computed in {precision} so far, and goes on in {now['precision']}; "
            f"end it and add --precision {precision} if it is to be compared with other runs."
        )
    run.write_environments([*before, now])


def differing_environment(ours: Sequence[Environment], theirs: Sequence[Environment]) -> list[str]:
    """What `ours` were otherwise than `theirs`, as the cell of a table says it."""
    if theirs and not ours:
        return ["precision and versions not known"]
    reference = _together(theirs)
    return [
        f"{name} {value}" for name, value in _together(ours).items() if value != reference.get(name)
    ]


def _together(environments: Sequence[Environment]) -> dict[str, str]:
    """By name, what it was, and then, where a run went on otherwise, what it became."""
    names = dict.fromkeys(name for one in environments for name in one)
    return {
        name: " then ".join(dict.fromkeys(str(one[name]) for one in environments if name in one))
        for name in names
    }
