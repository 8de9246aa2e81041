from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.errors import DecodingError
from app.images import BrokenImageError, DecodedImage
from app.job import Prediction
from app.lanes.answer import Answer, EngineError, read_answer
from app.lanes.wire import Message
from tests.app.lanes.jobs import job_of

pytestmark = pytest.mark.anyio

SIZE = (2, 3)
JPEG = [64, 48, "JPEG"]
PIXELS = bytes(range(18))
IMAGE = DecodedImage(np.zeros((2, 3, 3), np.uint8), 3, 2, "")
BROKEN = {"error": "BrokenImageError", "detail": "It is broken."}
UNEXPECTED = {"error": "", "detail": "Traceback"}


def message(
    *descriptions: Any,
    typicality: tuple[float, ...] | None = None,
    kept: tuple[bytes, ...] = (),
    fault: str = "",
) -> Message:
    """Return what a lane says: all was decoded from second 10 to 12, and predicted to 15.

    Of two classes, the first has the probabilities 0.0, 0.1, 0.2 and so on.
    """
    told = [[[description, 10, 12] for description in descriptions], 14, 15, fault]
    count = sum(not isinstance(description, dict) for description in descriptions)
    first = np.arange(count) / 10
    probabilities = np.stack([first, 1 - first], axis=1).astype(np.float32).tobytes()
    score = b"" if typicality is None else np.array(typicality, np.float32).tobytes()
    return Message(told, [probabilities, score, *kept])


def predictions_of(answer: Answer) -> list[Prediction]:
    predictions = [outcome for _, outcome in answer.outcomes]
    assert all(isinstance(outcome, Prediction) for outcome in predictions)
    return predictions


async def test_each_picture_has_its_own_prediction() -> None:
    batch = [job_of(b"one"), job_of(IMAGE), job_of(b"three")]
    answer = read_answer(batch, message(JPEG, None, JPEG, typicality=(0.5, 0.6, 0.7)), SIZE)

    predictions = predictions_of(answer)
    assert [job for job, _ in answer.outcomes] == batch
    assert [each.probabilities[0] for each in predictions] == pytest.approx([0, 0.1, 0.2])
    assert [each.typicality for each in predictions] == pytest.approx([0.5, 0.6, 0.7])
    assert answer.predicted == 3
    assert (answer.rest, answer.unexpected) == ([], [])


async def test_network_may_not_tell_how_typical_a_picture_is() -> None:
    (prediction,) = predictions_of(read_answer([job_of(b"file")], message(JPEG), SIZE))

    assert prediction.typicality is None


async def test_times_are_those_of_the_lane() -> None:
    job = job_of(b"file")
    job.arrived = 9
    (prediction,) = predictions_of(read_answer([job], message(JPEG), SIZE))

    assert prediction.decode_ms == 2000
    assert prediction.queue_ms == 3000
    assert prediction.inference_ms == 1000
    stages = [stage.name for stage in prediction.stages()]
    assert stages == ["queue", "decode", "queue", "inference"]


async def test_decoded_picture_takes_no_time_to_decode() -> None:
    job = job_of(IMAGE)
    job.arrived = job.decoding = job.decoded = 9
    (prediction,) = predictions_of(read_answer([job], message(None), SIZE))

    assert prediction.decode_ms == 0
    assert prediction.queue_ms == 5000
    assert prediction.image is IMAGE


async def test_file_is_described_without_pixels() -> None:
    (prediction,) = predictions_of(read_answer([job_of(b"file")], message(JPEG), SIZE))

    assert prediction.image[1:] == (64, 48, "JPEG")
    assert prediction.image.pixels.shape == (0, 0, 3)


async def test_pixels_that_were_kept_find_their_pictures() -> None:
    batch = [job_of(b"file", keeps_pixels=keeps) for keeps in (True, False, True, True)]
    kept = (PIXELS, PIXELS[::-1])
    answer = read_answer(batch, message(JPEG, JPEG, BROKEN, JPEG, kept=kept), SIZE)

    pixels = [answer.outcomes[place][1].image.pixels for place in (0, 1, 3)]
    assert [each.shape for each in pixels] == [(2, 3, 3), (0, 0, 3), (2, 3, 3)]
    assert [each.tobytes() for each in pixels] == [PIXELS, b"", PIXELS[::-1]]


async def test_broken_picture_leaves_the_others_their_predictions() -> None:
    batch = [job_of(b"file") for _ in range(3)]
    answer = read_answer(batch, message(JPEG, BROKEN, JPEG), SIZE)

    first, fault, last = (outcome for _, outcome in answer.outcomes)
    assert type(fault) is BrokenImageError
    assert str(fault) == "It is broken."
    assert [each.probabilities[0] for each in (first, last)] == pytest.approx([0, 0.1])
    assert answer.predicted == 2
    assert answer.unexpected == []


async def test_unexpected_failure_is_told_to_the_log_alone() -> None:
    answer = read_answer([job_of(b"file")], message(UNEXPECTED), SIZE)

    ((_, fault),) = answer.outcomes
    assert type(fault) is DecodingError
    assert "Traceback" not in str(fault)
    assert [told for _, told in answer.unexpected] == ["Traceback"]
    assert answer.predicted == 0


async def test_what_was_not_decoded_is_the_rest() -> None:
    batch = [job_of(b"file") for _ in range(3)]
    answer = read_answer(batch, message(JPEG), SIZE)

    assert [job for job, _ in answer.outcomes] == batch[:1]
    assert answer.rest == batch[1:]


async def test_fault_of_the_engine_is_raised() -> None:
    said = Message([[[JPEG, 10, 12]], 14, 15, "Traceback"], [b"", b""])

    with pytest.raises(EngineError, match="Traceback"):
        read_answer([job_of(b"file")], said, SIZE)
