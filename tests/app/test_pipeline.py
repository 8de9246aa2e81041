from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest

from app.engines.engine import Answers
from app.errors import InferenceError, NotReadyError, OverloadedError
from app.images import BrokenImageError, DecodedImage
from app.job import Prediction
from app.pipeline import Pipeline
from tests.app.fake_engine import FakeEngine

pytestmark = pytest.mark.anyio

MAX_BATCH = 4
MAX_QUEUE = 6


class FakeDecoder:
    """Takes a file of one byte as a picture of that much red."""

    def __init__(self) -> None:
        self.decoded: list[int] = []
        self.entered = threading.Event()
        self.free = threading.Event()
        """Decoding is held while this is clear."""
        self.free.set()

    def __call__(self, data: bytes) -> DecodedImage:
        self.entered.set()
        self.free.wait()
        if not data:
            raise BrokenImageError("The picture is damaged; send it again.")
        if data == b"exit":
            raise SystemExit
        self.decoded.append(data[0])
        return image(data[0])


@pytest.fixture
def decoder() -> FakeDecoder:
    return FakeDecoder()


@pytest.fixture
async def pipeline(fake_engine: FakeEngine, decoder: FakeDecoder) -> Iterator[Pipeline]:
    """One thread, which decodes and infers in turn."""
    with closing(pipeline_of(fake_engine, decoder)) as pipeline:
        yield pipeline
        fake_engine.free.set()
        decoder.free.set()


def pipeline_of(engine: FakeEngine, decoder: FakeDecoder, threads: int = 1) -> Pipeline:
    return Pipeline([engine], decoder, threads=threads, max_batch=MAX_BATCH, max_queue=MAX_QUEUE)


@pytest.fixture
async def busy(pipeline: Pipeline, fake_engine: FakeEngine) -> FakeEngine:
    """The engine, held at its first batch of one picture."""
    fake_engine.free.clear()
    pipeline.submit(file(0))
    await entered(fake_engine.entered)
    return fake_engine


def file(red: int) -> bytes:
    return bytes([red])


def image(red: int) -> DecodedImage:
    return DecodedImage(np.full((8, 8, 3), red, np.uint8), 8, 8, "FAKE")


def red_of(prediction: Prediction) -> int:
    return round(255 * prediction.probabilities[0])


async def entered(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, 60)


async def test_single_picture_does_not_wait_for_others(
    pipeline: Pipeline, fake_engine: FakeEngine
) -> None:
    prediction = await pipeline.submit(file(255))

    assert prediction.probabilities.tolist() == [1, 0]
    assert prediction.typicality == 1
    assert prediction.image.format == "FAKE"
    assert prediction.decode_ms >= 0
    assert prediction.queue_ms >= 0
    assert prediction.inference_ms >= 0
    assert fake_engine.batch_sizes == [1]


async def test_waiting_pictures_are_batched_in_order(pipeline: Pipeline, busy: FakeEngine) -> None:
    answers = [pipeline.submit(file(red)) for red in range(0, 250, 50)]
    busy.free.set()

    assert [red_of(await answer) for answer in answers] == list(range(0, 250, 50))
    assert busy.batch_sizes == [1, MAX_BATCH, 1]


async def test_decoding_keeps_off_the_event_loop(pipeline: Pipeline, decoder: FakeDecoder) -> None:
    decoder.free.clear()
    answer = pipeline.submit(file(0))
    await entered(decoder.entered)  # the loop runs on

    decoder.free.set()
    await answer


async def test_engines_share_what_waits(decoder: FakeDecoder) -> None:
    engines = [FakeEngine(), FakeEngine()]
    decoder.free.clear()
    with closing(
        Pipeline(engines, decoder, threads=1, max_batch=MAX_BATCH, max_queue=MAX_QUEUE)
    ) as pipeline:
        answers = [pipeline.submit(file(red)) for red in range(MAX_BATCH)]
        decoder.free.set()
        await asyncio.gather(*answers)

    assert engines[0].batch_sizes + engines[1].batch_sizes == [2, 1, 1]


async def test_idle_engine_leaves_nothing_to_a_busy_one(decoder: FakeDecoder) -> None:
    engines = [FakeEngine(), FakeEngine()]
    idle, busy = engines
    busy.free.clear()
    with closing(
        Pipeline(engines, decoder, threads=2, max_batch=MAX_BATCH, max_queue=MAX_QUEUE)
    ) as pipeline:
        first = pipeline.submit(file(0))
        await entered(busy.entered)
        decoder.free.clear()
        answers = [pipeline.submit(file(red)) for red in range(MAX_BATCH)]
        decoder.free.set()
        await asyncio.gather(*answers)
        busy.free.set()
        await first

    assert idle.batch_sizes == [MAX_BATCH]


async def test_engine_beside_the_cores_is_not_kept_waiting(
    fake_engine: FakeEngine, decoder: FakeDecoder
) -> None:
    fake_engine.device = "gpu:0 Some GPU"
    decoder.free.clear()
    with closing(pipeline_of(fake_engine, decoder)) as pipeline:
        answers = [pipeline.submit(file(red)) for red in range(3)]
        decoder.free.set()
        await asyncio.gather(*answers)

    assert fake_engine.batch_sizes == [1, 1, 1]


async def test_pictures_are_decoded_while_the_engine_is_busy(
    fake_engine: FakeEngine, decoder: FakeDecoder
) -> None:
    with closing(pipeline_of(fake_engine, decoder, threads=2)) as pipeline:
        fake_engine.free.clear()
        answers = [pipeline.submit(file(0))]
        await entered(fake_engine.entered)
        answers += [pipeline.submit(file(red)) for red in (1, 2)]
        for _ in range(6000):
            if decoder.decoded == [0, 1, 2]:
                break
            await asyncio.sleep(0.01)
        assert decoder.decoded == [0, 1, 2]
        fake_engine.free.set()
        await asyncio.gather(*answers)

    assert fake_engine.batch_sizes == [1, 2]


async def test_patient_pictures_take_what_is_left_of_a_batch(
    pipeline: Pipeline, busy: FakeEngine
) -> None:
    patient = pipeline.submit_decoded([image(red) for red in (10, 20, 30)], patient=True)
    others = [pipeline.submit(file(200)) for _ in range(MAX_BATCH)]
    busy.free.set()

    await asyncio.gather(*others, *patient)
    # A quarter of each batch while others wait, and whole batches afterwards.
    assert busy.batch_sizes == [1, MAX_BATCH, 2, 1]
    assert [red_of(await answer) for answer in patient] == [10, 20, 30]


async def test_patient_pictures_get_into_small_batches_too(
    fake_engine: FakeEngine, decoder: FakeDecoder
) -> None:
    fake_engine.free.clear()
    with closing(
        Pipeline([fake_engine], decoder, threads=1, max_batch=2, max_queue=MAX_QUEUE)
    ) as pipeline:
        first = pipeline.submit(file(0))
        await entered(fake_engine.entered)
        patient = pipeline.submit_decoded([image(0)] * 2, patient=True)
        others = [pipeline.submit(file(0)) for _ in range(3)]
        fake_engine.free.set()
        await asyncio.gather(first, *patient, *others)

    assert fake_engine.batch_sizes == [1, 2, 2, 1]


async def test_patient_pictures_leave_an_engine_free(decoder: FakeDecoder) -> None:
    engines = [FakeEngine(), FakeEngine()]
    free, busy = engines
    busy.free.clear()
    with closing(
        Pipeline(engines, decoder, threads=2, max_batch=MAX_BATCH, max_queue=MAX_QUEUE)
    ) as pipeline:
        patient = pipeline.submit_decoded([image(0)] * MAX_QUEUE, patient=True)
        await entered(busy.entered)
        assert red_of(await pipeline.submit(file(200))) == 200
        busy.free.set()
        await asyncio.gather(*patient)

    assert free.batch_sizes[0] == 2  # with a quarter of patient ones
    assert busy.batch_sizes[0] == MAX_BATCH


async def test_decoded_pictures_are_accepted_all_or_none(
    pipeline: Pipeline, busy: FakeEngine
) -> None:
    with pytest.raises(OverloadedError, match="try again"):
        pipeline.submit_decoded([image(0)] * (MAX_QUEUE + 1))
    with pytest.raises(OverloadedError, match="try again"):
        pipeline.submit_decoded([image(0)] * (MAX_QUEUE + 1), patient=True)
    assert pipeline.waiting == 0

    answers = pipeline.submit_decoded([image(0)] * MAX_QUEUE)
    assert pipeline.waiting == MAX_QUEUE
    busy.free.set()
    assert [prediction.decode_ms for prediction in await asyncio.gather(*answers)] == [0] * 6


async def test_full_queue_refuses(pipeline: Pipeline, busy: FakeEngine) -> None:
    answers = [pipeline.submit(file(0)) for _ in range(MAX_QUEUE)]
    assert pipeline.waiting == MAX_QUEUE
    with pytest.raises(OverloadedError, match="try again"):
        pipeline.submit(file(0))
    with pytest.raises(OverloadedError, match="try again"):
        pipeline.check_room()

    busy.free.set()
    assert len(await asyncio.gather(*answers)) == MAX_QUEUE
    pipeline.check_room()


async def test_cancelled_picture_is_neither_decoded_nor_inferred(
    pipeline: Pipeline, busy: FakeEngine, decoder: FakeDecoder
) -> None:
    gone = pipeline.submit(file(1))
    stayed = pipeline.submit(file(255))
    assert gone.cancel()
    busy.free.set()

    assert red_of(await stayed) == 255
    assert decoder.decoded == [0, 255]
    assert busy.batch_sizes == [1, 1]


async def test_picture_cancelled_while_it_is_decoded_is_not_inferred(
    pipeline: Pipeline, fake_engine: FakeEngine, decoder: FakeDecoder
) -> None:
    decoder.free.clear()
    gone = pipeline.submit(file(1))
    await entered(decoder.entered)
    gone.cancel()
    decoder.free.set()

    assert red_of(await pipeline.submit(file(255))) == 255
    assert fake_engine.batch_sizes == [1]


async def test_bad_picture_fails_alone(pipeline: Pipeline, busy: FakeEngine) -> None:
    bad = pipeline.submit(b"")
    good = [pipeline.submit(file(red)) for red in (100, 200)]
    busy.free.set()

    assert [red_of(await answer) for answer in good] == [100, 200]
    with pytest.raises(BrokenImageError):
        await bad
    assert busy.batch_sizes == [1, 2]
    assert pipeline.waiting == 0


async def test_fault_of_the_engine_fails_its_batch_alone(
    pipeline: Pipeline, busy: FakeEngine
) -> None:
    failing = [pipeline.submit(file(0)) for _ in range(MAX_BATCH)]
    unharmed = pipeline.submit(file(255))
    busy.faults = [None, ArithmeticError("of the second batch")]
    busy.free.set()

    assert red_of(await unharmed) == 255
    outcomes = await asyncio.gather(*failing, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [InferenceError] * MAX_BATCH
    assert pipeline.healthy


async def test_wrong_number_of_answers_is_a_fault(
    pipeline: Pipeline, fake_engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    three = Answers(np.zeros((3, 2), np.float32), np.zeros(3, np.float32))
    monkeypatch.setattr(fake_engine, "predict", lambda _: three)

    with pytest.raises(InferenceError):
        await pipeline.submit(file(0))


async def test_end_of_a_thread_fails_all_that_wait(pipeline: Pipeline, busy: FakeEngine) -> None:
    answers = [pipeline.submit(file(0)) for _ in range(MAX_QUEUE)]
    answers[2].cancel()
    busy.faults = [SystemExit()]
    busy.free.set()

    outcomes = await asyncio.gather(*answers, return_exceptions=True)
    assert type(outcomes.pop(2)) is asyncio.CancelledError
    assert {type(outcome) for outcome in outcomes} == {NotReadyError}
    assert not pipeline.healthy
    with pytest.raises(NotReadyError):
        pipeline.submit(file(0))


async def test_end_of_a_thread_while_decoding_fails_its_picture(pipeline: Pipeline) -> None:
    with pytest.raises(NotReadyError):
        await pipeline.submit(b"exit")

    assert not pipeline.healthy


async def test_close_answers_what_waits(fake_engine: FakeEngine, decoder: FakeDecoder) -> None:
    pipeline = pipeline_of(fake_engine, decoder, threads=2)
    answers = [pipeline.submit(file(0)) for _ in range(MAX_QUEUE)]

    await asyncio.to_thread(pipeline.close)

    assert len(await asyncio.gather(*answers)) == MAX_QUEUE
    assert not pipeline.healthy
    with pytest.raises(NotReadyError):
        pipeline.submit(file(0))
