"""What a lane's answer means for the pictures that it was given."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engines.engine import Answers
from app.errors import DecodingError
from app.images import DecodedImage, ImageError, image_error
from app.job import Job, Outcome
from app.lanes.wire import Message


class EngineError(Exception):
    """The lane's engine failed; the message is the traceback."""


class Answer(NamedTuple):
    """What a lane made of a batch."""

    outcomes: list[Outcome]
    rest: list[Job]
    """What it gave back."""
    predicted: int
    """How many pictures its engine was given at once."""
    unexpected: list[tuple[Job, str]]
    """Tracebacks of decoding that failed, but for no fault of the picture."""


def read_answer(batch: list[Job], message: Message, size: tuple[int, int]) -> Answer:
    """Read a lane's answer to a batch.

    Args:
        size: Of pictures, height and width.

    Raises:
        EngineError: It says that its engine failed.
    """
    told, begin, end, fault = message.told
    if fault:
        raise EngineError(fault)
    predicted = sum(not isinstance(description, dict) for description, _, _ in told)
    answer = Answer([], batch[len(told) :], predicted, [])
    probabilities, typicality, *kept = message.blobs
    answers = _answers(probabilities, typicality, predicted)
    position = 0
    for job, (description, start, finish) in zip(batch, told, strict=False):
        if job.encoded:
            job.decoding, job.decoded = start, finish
        if isinstance(description, dict):
            if not description["error"]:
                answer.unexpected.append((job, description["detail"]))
            answer.outcomes.append((job, _fault(description)))
            continue
        if job.encoded:
            pixels = kept.pop(0) if job.keeps_pixels else b""
            job.image = DecodedImage(_pixels(pixels, size), *description)
        prediction = job.prediction(answers, position, begin, (end - begin) * 1e3)
        answer.outcomes.append((job, prediction))
        position += 1
    return answer


def _answers(probabilities: bytes, typicality: bytes, count: int) -> Answers:
    classes = -1 if count else 0
    return Answers(
        np.frombuffer(probabilities, np.float32).reshape(count, classes),
        np.frombuffer(typicality, np.float32) if typicality else None,
    )


def _fault(description: dict[str, Any]) -> ImageError | DecodingError:
    if description["error"]:
        return image_error(description["error"], description["detail"])
    return DecodingError("The picture could not be decoded; try again.")


def _pixels(blob: bytes, size: tuple[int, int]) -> NDArray[np.uint8]:
    height, width = size if blob else (0, 0)
    return np.frombuffer(blob, np.uint8).reshape(height, width, 3)
