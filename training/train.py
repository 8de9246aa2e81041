"""The command `train`: from pictures to a trained network in a run's folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from training.data import Dataset, load_dataset
from training.errors import RunError
from training.fit import TrainingData, fit
from training.lookup import Place
from training.model import FULL_SIDE
from training.precision import Precision
from training.recipe import Recipe
from training.run import Run
from training.source import Source, open_source
from training.split import stratified_split, write_split


def train(
    run: Run,
    data: Path,
    recipe: Recipe,
    *,
    split_seed: int,
    cache: Path,
    resume: bool = False,
    precision: Precision = "auto",
    place: Place = "auto",
) -> None:
    """Train on four fifths of the pictures in `data`, and validate on the rest.

    Args:
        run: Where to write.
        data: An archive or a folder.
        recipe: The hyperparameters.
        split_seed: Decides which pictures are validated on.
        cache: The folder of decoded pictures.
        resume: Go on in a run that was begun; `recipe` must be the same.
        precision: What to compute in.
        place: Where the decoded pictures are read from.

    Raises:
        DataError: The pictures cannot be used.
        RunError: The run exists and `resume` is off, or the other way round, or it was begun
            with another recipe or other pictures.
    """
    with open_source(data) as source:
        dataset = load_dataset(source, FULL_SIDE, cache)
        _report(dataset)
        classes = dataset.classes()
        split = stratified_split(classes, split_seed)
        facts = {
            "source": source.name,
            "fingerprint": source.fingerprint(),
            "labels": list(dataset.labels),
            "counts": dataset.counts,
            "training": len(split.training),
            "validation": len(split.validation),
            "split_seed": split_seed,
            "skipped": [asdict(skipped) for skipped in dataset.skipped],
        }
        if resume:
            _check_resumable(run, recipe, facts)
        else:
            if run.exists:
                raise RunError(
                    f"{run.folder} holds a training already; add --resume to go on with it, "
                    "or name another folder with --run."
                )
            run.write_data(facts)
            write_split(run.split_file, dataset, split)
            run.write_recipe(recipe)
        pictures = _by_side(source, dataset, cache)
        training_data = TrainingData(pictures, classes, len(dataset.labels), split)
        fit(run, recipe, training_data, precision, place)


def _report(dataset: Dataset) -> None:
    counts = ", ".join(f"{count} {label}" for label, count in dataset.counts.items())
    print(f"{dataset.source}: {len(dataset)} pictures ({counts})")
    for skipped in dataset.skipped:
        print(f"  skipped {skipped.name}: {skipped.reason}")


def _check_resumable(run: Run, recipe: Recipe, facts: dict[str, object]) -> None:
    if run.read_recipe() != recipe:
        raise RunError(
            f"{run.folder} was begun with another recipe (see {run.recipe_file.name}); "
            "resume with the same options, or name another folder with --run."
        )
    if run.read_data() != facts:
        raise RunError(
            f"{run.folder} was begun with other pictures or another split; resume with "
            "the same --data and --split-seed."
        )


def _by_side(source: Source, dataset: Dataset, cache: Path) -> Callable[[int], Dataset]:
    def pictures(side: int) -> Dataset:
        return dataset if side == FULL_SIDE else load_dataset(source, side, cache)

    return pictures
