"""The command `mean`: the mean of several trainings' weights, as a run to evaluate and export."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras

from training.errors import RunError
from training.files import whole_file, write_text
from training.run import Run
from training.start import Start, read_start, width_of


def mean(run: Run, folders: Sequence[Path]) -> None:
    """Write a network whose every weight is the mean of those of several trainings.

    Of trainings that began with the same weights, it is about as right as the mean of all their
    answers, at the cost of one (Wortsman et al. 2022, "Model soups"; Izmailov et al. 2018,
    "Averaging Weights Leads to Wider Optima", section 3, but that the statistics of the
    normalizations, too, are means and not measured anew). What the run tells beside the weights is
    that of the last run in `folders`, and the recipe names all of them.

    Args:
        run: Where to write.
        folders: Two or more: runs, and exported models, of which not all may be.

    Raises:
        RunError: `run` exists, or another command is writing to it; or `folders` are too few, or
            one has no weights, or other labels, pictures, split or width than the first, or more
            than one began at random.
        ModelCardError: An exported model does not match its card.
        StorageError: There is no room.
    """
    run.require_new()
    told_by = _last_run(folders)
    recipe, facts = told_by.read_recipe(), told_by.read_data()
    names, network = _mean_network(folders)
    with run.alone():
        run.require_new()
        run.write_data(facts)
        run.write_environments(told_by.read_environments())
        write_text(run.split_file, told_by.split_file.read_text(encoding="utf-8"))
        with whole_file(run.best_file) as aside:
            network.save(aside)
        run.write_recipe(recipe.override({"mean_of": ", ".join(names)}))


def _mean_network(folders: Sequence[Path]) -> tuple[list[str], keras.Model]:
    """What the trainings are called, and the network of their mean weights."""
    first = read_start(folders[0])
    names, total = [first.name], first.plain.get_weights()
    at_random = [first.name] if first.at_random else []
    for folder in folders[1:]:
        other = read_start(folder)  # one at a time: each takes a quarter of a gigabyte
        _check_alike(first, other)
        names.append(other.name)
        at_random += [other.name] if other.at_random else []
        total = [a + b for a, b in zip(total, other.plain.get_weights(), strict=True)]
    if len(at_random) > 1:
        raise RunError(
            f"{' and '.join(at_random)} each began with random weights, of which a mean is "
            "worthless; train with --start from one of them."
        )
    first.plain.set_weights([weight / len(folders) for weight in total])
    return names, first.plain


def _last_run(folders: Sequence[Path]) -> Run:
    if len(folders) < 2:
        raise RunError(f"A mean takes two trainings or more. Received: {len(folders)}")
    runs = [Run(folder) for folder in folders if Run(folder).exists]
    if not runs:
        raise RunError(
            "None of the folders is a run, which tells what the weights were trained on; name one "
            "beside the exported models."
        )
    return runs[-1]


def _check_alike(first: Start, other: Start) -> None:
    differing = [
        what
        for what, ours, theirs in (
            ("labels", first.labels, other.labels),
            ("pictures", *_pictures(first, other)),
            ("--split-seed", first.data.split_seed, other.data.split_seed),
            ("--width", width_of(first.plain), width_of(other.plain)),
        )
        if ours != theirs
    ]
    if differing:
        raise RunError(
            f"{other.name} was trained with other {' and '.join(differing)} than {first.name}; "
            "take the mean of trainings that are alike in that."
        )


def _pictures(first: Start, other: Start) -> tuple[object, object]:
    """What to know each one's pictures by: digests, or counts where one of them has no digest."""
    digests = first.data.pictures, other.data.pictures
    return (first.data.counts, other.data.counts) if None in digests else digests
