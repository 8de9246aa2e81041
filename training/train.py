"""The command `train`: from pictures to a trained network in a run's folder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.engines.keras import gpu_device
from training.checkpoint import read_progress
from training.copies import find_copies
from training.data import Dataset, holds_pictures_of, load_dataset
from training.devices import Devices, find_devices, require_backend, require_even_shares
from training.errors import RunError
from training.exclusions import find_excluded, read_exclusions
from training.fit import TrainingData, fit
from training.labelled import Labelled, listed
from training.lookup import Place
from training.model import FULL_SIDE
from training.precision import Precision
from training.recipe import Recipe
from training.run import Run, identity
from training.source import open_source
from training.split import Split, require_enough, stratified_split, write_split
from training.start import Start, check_width, read_start

_SHOWN_COPIES = 5
_OR_RESUME = "add --resume to go on with it, or "


def train(
    run: Run,
    data: Path,
    recipe: Recipe,
    *,
    split_seed: int,
    exclusions: Path,
    cache: Path,
    resume: bool = False,
    precision: Precision = "auto",
    place: Place = "auto",
    devices: Devices = 1,
    start: Path | None = None,
) -> None:
    """Train on four fifths of the pictures in `data`, and validate on the rest.

    Args:
        run: Where to write.
        data: An archive or a folder.
        recipe: The hyperparameters.
        split_seed: Decides which pictures are validated on.
        exclusions: A list of pictures that are not trained on (see `read_exclusions`); where
            they are among those to validate on, they stay there.
        cache: The folder of decoded pictures.
        resume: Go on in a run that was begun; `recipe` must be the same.
        precision: What to compute in.
        place: Where the decoded pictures are read from.
        devices: How many share every batch.
        start: A run or an exported model whose weights to begin with; by default, at random. A
            run that is resumed after its first checkpoint needs it no more.

    Raises:
        DeviceError: There are fewer `devices`, or they have no room for the pictures, or Keras runs
            on another backend than TensorFlow and JAX.
        ValueError: A batch cannot be shared out evenly among them.
        DataError: The pictures or the exclusions cannot be used.
        RunError: The run exists and `resume` is off, or the other way round, or it was begun
            with another recipe, other pictures or other exclusions, or it is damaged, or another
            training is writing to it; or `start` holds no weights, or of another width, or was
            trained on pictures that would be validated on.
        ModelCardError: The exported model `start` does not match its card.
        StorageError: There is no room for the decoded pictures, or for what is trained.
    """
    require_backend()
    names = find_devices(devices)
    require_even_shares(recipe.batch_size, names)
    unwanted = read_exclusions(exclusions)
    if resume:
        run.require_begun()
    else:
        run.require_new(_OR_RESUME)
    gpu_device()  # how its memory is taken has to be said before a network is loaded
    begun = None
    if start is not None:
        begun = read_start(start)
        check_width(begun, recipe.width)
        recipe = recipe.override({"start": begun.name})
    elif resume and read_progress(run.checkpoint_folder).epochs:
        recipe = recipe.override({"start": run.read_recipe().start})
    if resume:
        _check_recipe(run, recipe)
    with open_source(data, training_only=True) as source:
        found = listed(source)
        _check_classes(found, source.left_alone)
        dataset = load_dataset(source, FULL_SIDE, cache)
        _report_skipped(dataset)
        classes = dataset.classes()
        require_enough(dict.fromkeys(found.labels, 0) | dataset.counts, dataset.source)
        split = stratified_split(classes, split_seed)
        excluded = find_excluded(dataset, split.training, unwanted)
        split = split.excluding(excluded)
        _report_excluded(dataset, excluded)
        _report_copies(dataset, split)
        require_even_shares(min(recipe.batch_size, len(split.training)), names)
        facts = {
            "fingerprint": source.fingerprint(),
            **_facts(dataset, split, split_seed, excluded),
        }
        if begun is not None:
            _check_unseen(begun, dataset, split.validation, split_seed)
        training_data = TrainingData(dataset.pixels, classes, dataset.labels, split)
        if resume:
            _check_pictures(run, facts)
        with run.alone():
            if not resume:
                run.require_new(_OR_RESUME)  # another may have begun while pictures were decoded
                run.write_data(facts)
                write_split(run.split_file, dataset, split)
                run.write_recipe(recipe)
            fit(run, recipe, training_data, precision, place, names, begun)


def _facts(
    dataset: Dataset, split: Split, split_seed: int, excluded: dict[int, str]
) -> dict[str, object]:
    return {
        "source": dataset.source,
        "pictures": dataset.digest(),
        "labels": list(dataset.labels),
        "counts": dataset.counts,
        "training": len(split.training),
        "validation": len(split.validation),
        "split_seed": split_seed,
        "excluded": [dataset.names[position] for position in excluded],
        "skipped": [asdict(skipped) for skipped in dataset.skipped],
    }


def _check_classes(pictures: Labelled, left_alone: int) -> None:
    """Tell what was taken for classes, and refuse at once what decoding would take minutes to."""
    counts = ", ".join(f"{count} {label}" for label, count in pictures.counts.items())
    print(f"{pictures.source}: {len(pictures)} pictures ({counts})", flush=True)
    if left_alone:
        print(f"  {left_alone} pictures of a validation or a test beside them are left alone")
    pictures.check_labels(pictures.labels)
    require_enough(pictures.counts, pictures.source)


def _report_skipped(dataset: Dataset) -> None:
    for skipped in dataset.skipped:
        print(f"  skipped {skipped.name}: {skipped.reason}")


def _report_excluded(dataset: Dataset, excluded: dict[int, str]) -> None:
    if excluded:
        print(f"{len(excluded)} of them are left out of the training:")
    for position, reason in excluded.items():
        print(f"  excluded {dataset.names[position]}: {reason}")


def _report_copies(dataset: Dataset, split: Split) -> None:
    copies = find_copies(dataset.pixels, split)
    if not copies:
        return
    print(
        f"{len(copies)} of the {len(split.validation)} to validate on are exact copies of pictures "
        "that are trained on, and validation looks better than it is; remove one of each two:"
    )
    for copy, original in list(copies.items())[:_SHOWN_COPIES]:
        print(f"  {dataset.names[copy]} is a copy of {dataset.names[original]}")
    if len(copies) > _SHOWN_COPIES:
        print(f"  and {len(copies) - _SHOWN_COPIES} more")


def _check_unseen(
    start: Start, dataset: Dataset, validated: NDArray[np.intp], split_seed: int
) -> None:
    """See that none of what `start` was trained on is validated on, as far as that is known."""
    if not holds_pictures_of(dataset, start.data):
        print(_seen_before(start, dataset, validated))
    elif start.data.split_seed != split_seed:
        raise RunError(
            f"{start.name} was trained on some of the pictures that would be validated on; train "
            f"with --split-seed {start.data.split_seed}."
        )


def _seen_before(start: Start, dataset: Dataset, validated: NDArray[np.intp]) -> str:
    others = f"{start.name} saw other pictures ({start.data.source})"
    if start.trained_on is None:
        return (
            f"{others}; where some of them are among those to validate on, validation looks better "
            "than it is."
        )
    files = dataset.files
    seen = sum(files[position] in start.trained_on for position in validated)
    if not seen:
        return f"{others}; by their names, none of them is among those to validate on."
    return (
        f"{others}; by their names, {seen} of them are among the {len(validated)} to validate on, "
        "and validation looks better than it is."
    )


def _check_recipe(run: Run, recipe: Recipe) -> None:
    if run.read_recipe() != recipe:
        raise RunError(
            f"{run.folder} was begun with another recipe (see {run.recipe_file.name}); "
            "resume with the same options, or name another folder with --run."
        )


def _check_pictures(run: Run, facts: dict[str, object]) -> None:
    known = run.read_data()
    if known.get("pictures"):
        same = run.read_identity() == identity(facts)
    else:  # a run of before
        compared = facts.keys() - {"source", "pictures"}
        same = all(known.get(name) == facts[name] for name in compared)
    if not same:
        raise RunError(
            f"{run.folder} was begun with other pictures, another split or other exclusions; "
            "resume with the same --data, --split-seed and --exclusions."
        )
