"""The command `score`: score any number of pictures, and go on where a kill ended it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ray
import ray.data
from ray.exceptions import RayError
from tqdm import tqdm

from app.card import read_card, verified_file
from app.images import DECODING
from training.bulk.cluster import ray_running, share_out
from training.bulk.job import Job
from training.bulk.listing import count_parts, fingerprint, write_listing
from training.bulk.scorer import FAILURE, Scorer, Work
from training.bulk.table import Totals, write_csv
from training.errors import DataError, RunError, TrainingError, brief
from training.form import FILES, Form

_FINGERPRINT = "fingerprint"
_AT_ONCE = 10_000  # parts that Ray Data is told of: it keeps something of each


def score(source: Path, model: Path, output: Path, form: Form = "litert") -> Totals:
    """Score every picture of a source, in parts, each of which is written once it is whole.

    What an earlier call with the same arguments wrote is not scored again. A picture that cannot
    be read or decoded has an error in place of scores.

    Args:
        source: A folder of pictures or shards, a shard, or a zip archive.
        model: The folder of an exported model.
        output: The folder to write to; see `Job`.
        form: Which of the model's files to run.

    Raises:
        DataError: The source holds no pictures, is damaged, or is not on every machine.
        ModelCardError: The model cannot be used.
        RunError: The output is that of another source or model, or is in use or damaged.
        ClusterError: Ray has no GPU for `form`.
        StorageError: There is no room.
    """
    card = read_card(model)
    if output.resolve().is_relative_to(source.resolve()):
        raise DataError(f"{output} lies in {source}; name a folder outside of it with --output.")
    work = Work(source.absolute(), output.absolute(), model.absolute(), card, form)
    job = Job(work.output)
    with job.alone():
        _begin(job, work)
        total = count_parts(job.listing_file)
        _score_parts(job, work, total)
        return write_csv(job.scores_file, card, map(job.part_file, range(total)))


def _begin(job: Job, work: Work) -> None:
    """List the source, or make sure that it is what was listed."""
    begun = job.read_facts()
    model = _model_facts(work)
    if begun is None:
        if job.parts_folder.exists():
            raise RunError(
                f"{job.folder} has scores without {job.facts_file.name}; name another folder "
                "with --output."
            )
        listed = write_listing(work.source, job.listing_file)
        job.write_facts({**model, _FINGERPRINT: listed})
        return
    for name, value in {**model, _FINGERPRINT: fingerprint(work.source)}.items():
        if begun.get(name) != value:
            what = "other pictures" if name == _FINGERPRINT else f"another model ({name})"
            raise RunError(
                f"{job.folder} was begun with {what}, or they were changed since; name another "
                "folder with --output."
            )


def _model_facts(work: Work) -> dict[str, Any]:
    file = verified_file(work.model, work.card, FILES[work.form])
    return {
        "decoding": DECODING,
        "model": work.card.name,
        "version": work.card.version,
        "labels": list(work.card.labels),
        "file": file.name,
        "sha256": work.card.files[file.name].sha256,
    }


def _score_parts(job: Job, work: Work, total: int) -> None:
    """Score the parts that have not been."""
    parts = [number for number in range(total) if not job.part_file(number).exists()]
    with tqdm(desc=work.card.name, total=total, initial=total - len(parts), unit="part") as bar:
        if not parts:
            return
        job.forget_attempts()
        with ray_running():
            for start in range(0, len(parts), _AT_ONCE):
                for row in _rows(parts[start : start + _AT_ONCE], work):
                    if row[FAILURE]:
                        raise TrainingError(row[FAILURE])
                    bar.update()


def _rows(parts: list[int], work: Work) -> Iterator[dict[str, Any]]:
    try:
        yield from _scored(parts, work).iter_rows()
    except RayError as error:
        raise TrainingError(
            f"Ray could not go on ({brief(error)}); run the command again: what is done stays done."
        ) from error


def _scored(parts: list[int], work: Work) -> ray.data.Dataset:
    """A block a part, so that parts are handed out, and told of, one at a time."""
    actors = share_out(ray.nodes(), work.form)
    ray.data.DataContext.get_current().enable_progress_bars = False
    return ray.data.from_items(parts, override_num_blocks=len(parts)).map(
        Scorer,
        fn_constructor_args=(work, actors.cpus),
        num_cpus=actors.cpus,
        num_gpus=actors.gpus,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=actors.number),
    )
