"""The command `table`: what runs have reached, beside what was different about them."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from training.environment import differing_environment
from training.model import FULL_SIDE
from training.recipe import Recipe, stages_text
from training.run import Run

_HEADER = (
    "| differs in | n | epochs | accuracy | log loss | minutes | pictures/s | waiting |\n"
    "|---|---|---|---|---|---|---|---|"
)


def comparison(runs: Sequence[Run], reference: Recipe | None = None) -> str:
    """A Markdown table, in the order of `runs`.

    Runs that differ in nothing but their seed, on the same pictures and computed in the same, share
    a row, with the mean of what they reached and, after "±", the sample's standard deviation.
    Accuracy and log loss are those of the best validation at full size, pictures/s the median
    epoch's at full size, and waiting the largest share that an epoch spent without data.

    Args:
        runs: Finished or not; at least one.
        reference: What the runs' recipes are compared with; by default, the first run's.

    Raises:
        RunError: A folder holds no training.
    """
    recipes = [run.read_recipe() for run in runs]
    reference = reference or recipes[0]
    groups: dict[tuple[Recipe, str, str], list[_Outcome]] = {}
    for run, recipe in zip(runs, recipes, strict=True):
        alike = recipe.override({"seed": reference.seed})
        key = alike, json.dumps(run.read_identity()), json.dumps(run.read_environments())
        groups.setdefault(key, []).append(_outcome(run.read_history()))
    first = (reference, *next(iter(groups))[1:])
    rows = [_row(_difference(key, first), key[0], outcomes) for key, outcomes in groups.items()]
    return "\n".join([_HEADER, *rows])


@dataclass(frozen=True)
class _Outcome:
    epochs: int
    minutes: float
    waiting: float
    accuracy: float | None  # as what follows, None before the first epoch at full size
    log_loss: float | None
    speed: float | None


def _outcome(history: list[dict[str, float]]) -> _Outcome:
    full = [row for row in history if row["side"] == FULL_SIDE]
    best = max(full, key=lambda row: (row["val_accuracy"], -row["val_log_loss"]), default={})
    return _Outcome(
        epochs=len(history),
        minutes=sum(row["seconds"] for row in history) / 60,
        waiting=max((row["waiting"] for row in history), default=0.0),
        accuracy=best.get("val_accuracy"),
        log_loss=best.get("val_log_loss"),
        speed=statistics.median(row["pictures_per_second"] for row in full) if full else None,
    )


def _row(difference: str, recipe: Recipe, outcomes: list[_Outcome]) -> str:
    fewest = min(outcome.epochs for outcome in outcomes)
    cells = (
        difference,
        str(len(outcomes)),
        str(recipe.epochs) if fewest == recipe.epochs else f"{fewest} of {recipe.epochs}",
        _spread([outcome.accuracy for outcome in outcomes], ".4f"),
        _spread([outcome.log_loss for outcome in outcomes], ".4f"),
        _spread([outcome.minutes for outcome in outcomes], ".1f"),
        _spread([outcome.speed for outcome in outcomes], ".0f"),
        f"{max(outcome.waiting for outcome in outcomes):.1%}",
    )
    return f"| {' | '.join(cells)} |"


def _difference(key: tuple[Recipe, str, str], first: tuple[Recipe, str, str]) -> str:
    recipe, pictures, environments = key
    before = first[0].as_dict()
    changed = [
        f"{name} {stages_text(value) if name == 'stages' else value}"
        for name, value in recipe.as_dict().items()
        if value != before[name]
    ]
    if pictures != first[1]:
        changed.append("other pictures, or another split of them")
    changed += differing_environment(json.loads(environments), json.loads(first[2]))
    return ", ".join(changed) or "nothing"


def _spread(values: Sequence[float | None], form: str) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    mean = format(statistics.mean(known), form)
    return mean if len(known) == 1 else f"{mean} ± {format(statistics.stdev(known), form)}"
