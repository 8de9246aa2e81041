"""One picture, from its arrival to its answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterable
from time import perf_counter
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from app.engines.engine import Answers
from app.images import DecodedImage
from app.request_id import request_id

Fault = Literal["decode", "inference", "lane", "pipeline"]
"""Where something failed that is no picture's own fault."""


class Stage(NamedTuple):
    """What was done with a picture, or that it waited, and when, in seconds by `perf_counter`."""

    name: str
    begin: float
    end: float


class Prediction(NamedTuple):
    """What the engine says of one picture, and how long that took."""

    image: DecodedImage
    """Without its pixels (of shape (0, 0, 3)) where they were not to be kept."""
    probabilities: NDArray[np.float32]
    """Shape (classes,)."""
    typicality: float | None
    """As the engine's answers have it."""
    decode_ms: float
    queue_ms: float
    """Waiting to be decoded, and then for the engine."""
    inference_ms: float
    """Of the whole batch that the picture was in."""
    arrived: float
    decoding: float
    """When it came, and when decoding began, in seconds by `perf_counter`."""

    def stages(self) -> list[Stage]:
        """Return what happened from its arrival until it was predicted, without gaps."""
        decoded = self.decoding + self.decode_ms / 1e3
        inferring = self.arrived + (self.queue_ms + self.decode_ms) / 1e3
        stages = [
            Stage("queue", self.arrived, self.decoding),
            Stage("decode", self.decoding, decoded),
            Stage("queue", decoded, inferring),
            Stage("inference", inferring, inferring + self.inference_ms / 1e3),
        ]
        return [stage for stage in stages if stage.end > stage.begin]


class Job:
    """A picture that waits to be decoded, or for an engine."""

    __slots__ = (
        "answer",
        "arrived",
        "data",
        "decoded",
        "decoding",
        "encoded",
        "failed",
        "goes_alone",
        "image",
        "keeps_pixels",
        "request_id",
    )

    def __init__(
        self,
        picture: bytes | DecodedImage,
        answer: asyncio.Future[Prediction],
        *,
        keeps_pixels: bool = False,
    ) -> None:
        self.answer = answer
        self.arrived = self.decoding = self.decoded = perf_counter()
        """When it came, and when decoding began and ended."""
        self.request_id = request_id.get()
        """Of the request that it came with."""
        self.keeps_pixels = keeps_pixels
        """Whether its prediction is to have them."""
        self.goes_alone = False
        """Whether it is to be the only one of its batch."""
        self.failed = False
        """Whether a batch that it was in brought nothing."""
        self.encoded = isinstance(picture, bytes)
        """Whether it came as a file."""
        self.data = b""
        self.image: DecodedImage
        if isinstance(picture, bytes):
            self.data = picture
        else:
            self.image = picture

    def prediction(
        self, answers: Answers, position: int, start: float, inference_ms: float
    ) -> Prediction:
        """Make its prediction from those of the batch that it is in, which began at `start`."""
        typicality = answers.typicality
        return Prediction(
            image=self.image,
            probabilities=answers.probabilities[position],
            typicality=None if typicality is None else float(typicality[position]),
            decode_ms=(self.decoded - self.decoding) * 1e3,
            queue_ms=(self.decoding - self.arrived + start - self.decoded) * 1e3,
            inference_ms=inference_ms,
            arrived=self.arrived,
            decoding=self.decoding,
        )


Outcome: TypeAlias = tuple[Job, Prediction | Exception]


def take(jobs: deque[Job], most: int) -> list[Job]:
    """Remove and return the first jobs, dropping those whose clients have gone."""
    taken: list[Job] = []
    while jobs and len(taken) < most:
        job = jobs.popleft()
        if not job.answer.done():
            taken.append(job)
    return taken


def take_first(jobs: deque[Job]) -> Job | None:
    """The same with the first one alone, if there is any."""
    return next(iter(take(jobs, 1)), None)


def withdraw(job: Job, queues: Iterable[deque[Job]]) -> None:
    """Remove a job from wherever it waits, if it does."""
    for jobs in queues:
        with contextlib.suppress(ValueError):
            jobs.remove(job)


def resolve(outcomes: Iterable[Outcome]) -> None:
    """Answer whoever still waits. Called by the event loop's thread."""
    for job, outcome in outcomes:
        if job.answer.done():
            continue
        if isinstance(outcome, Exception):
            job.answer.set_exception(outcome)
        else:
            job.answer.set_result(outcome)
