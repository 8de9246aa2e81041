"""What each of Ray's actors does: part after part, with the network loaded once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.card import ModelCard, verified_file
from app.engines.engine import Answers, Engine
from app.engines.litert import LiteRTEngine
from app.errors import StartupError
from training.bulk.job import Job
from training.bulk.listing import read_part
from training.bulk.reading import Decoded, Reader, decode_ahead, open_reader
from training.bulk.table import Score, write_part
from training.data import Skipped
from training.errors import DataError, TrainingError, brief
from training.form import FILES, Form

PART = "item"  # as Ray Data names the only column of a list
FAILURE = "failure"
_ATTEMPTS = 4  # at a part whose process ends meanwhile: Ray would go on for ever


class Work(NamedTuple):
    """What all actors of a job have in common."""

    source: Path
    output: Path
    model: Path
    card: ModelCard
    form: Form


class Scorer:
    """Scores a part at a time, and writes it.

    Nothing but the numbers of parts passes between machines, all of which see the same files.

    Args:
        work: What is to be done.
        threads: To decode and, on the CPU, to infer in.
    """

    def __init__(self, work: Work, threads: int) -> None:
        self._work = work
        self._job = Job(work.output)
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads)
        self._open = contextlib.ExitStack()

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Score the part in the column PART; FAILURE tells why it could not be, or is empty."""
        number = int(row[PART])
        try:
            self._score(number)
        except (TrainingError, StartupError) as error:
            return {PART: number, FAILURE: str(error)}
        except Exception as error:  # which Ray would tell by a traceback, without the part
            return {
                PART: number,
                FAILURE: f"Part {number} cannot be scored ({brief(error)}); run the "
                "command again, and if it stays so, take that part's pictures away.",
            }
        return {PART: number, FAILURE: ""}

    def _score(self, number: int) -> None:
        for path in (self._work.source, self._job.listing_file):
            if not path.exists():
                raise DataError(
                    f"{path} is not there, or not on every machine of the cluster; give all of "
                    "them the same folders, and run the command again."
                )
        pieces = read_part(self._job.listing_file, number)
        if self._job.note_attempt(number) >= _ATTEMPTS:
            raise TrainingError(
                f"The part from {pieces[0].name} to {pieces[-1].name} ended the process that "
                f"scores it {_ATTEMPTS} times; give it more memory, or take away the picture that "
                "ends it, and run the command again. What is done stays done."
            )
        pictures = self._reader.pictures(pieces)
        height, width, _ = self._work.card.input_shape
        batch = self._engine.best_batch
        decoded = decode_ahead(pictures, (height, width), self._pool, 2 * batch)
        scores = [score for some in _batches(decoded, batch) for score in self._answer(some)]
        write_part(self._job.part_file(number), self._work.card, scores)
        self._job.forget_attempt(number)

    @cached_property
    def _reader(self) -> Reader:
        return self._open.enter_context(open_reader(self._work.source))

    @cached_property
    def _engine(self) -> Engine:
        work = self._work
        file = verified_file(work.model, work.card, FILES[work.form])
        if work.form == "litert":
            return LiteRTEngine(file, work.card.input_shape, self._threads)
        from app.engines.keras import KerasEngine  # which takes seconds to import

        return KerasEngine(file, work.card.input_shape)

    def _answer(self, pictures: list[Decoded]) -> Iterator[Score]:
        pixels = [each for _, each in pictures if not isinstance(each, Skipped)]
        answers = _one_by_one(self._engine.predict(pixels)) if pixels else iter(())
        for name, each in pictures:
            if isinstance(each, Skipped):
                yield Score(name, None, None, each.reason)
            else:
                yield Score(name, *next(answers), None)


def _one_by_one(answers: Answers) -> Iterator[tuple[NDArray[np.float32], float | None]]:
    probabilities, typicality = answers
    if typicality is None:
        return zip(probabilities, [None] * len(probabilities), strict=True)
    return zip(probabilities, typicality.tolist(), strict=True)


def _batches(pictures: Iterable[Decoded], size: int) -> Iterator[list[Decoded]]:
    """As many at once as hold `size` that were decoded."""
    batch: list[Decoded] = []
    decoded = 0
    for picture in pictures:
        batch.append(picture)
        decoded += not isinstance(picture[1], Skipped)
        if decoded == size:
            yield batch
            batch, decoded = [], 0
    if batch:
        yield batch
