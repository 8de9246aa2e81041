from __future__ import annotations

import asyncio
from contextlib import closing

import pytest

from app.errors import NotReadyError, OverloadedError
from app.images import BrokenImageError
from app.pipeline import Pipeline
from tests.app.fake_engine import FakeEngine
from tests.app.pipelines import (
    MAX_BATCH,
    MAX_QUEUE,
    FakeDecoder,
    decoded,
    entered,
    file,
    image,
    pipeline_of,
    red_of,
)

pytestmark = pytest.mark.anyio


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
    answers = pipeline.submit_decoded([image(red) for red in range(0, 250, 50)])
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
    with closing(pipeline_of(engines, decoder)) as pipeline:
        answers = pipeline.submit_decoded([image(red) for red in range(MAX_BATCH)])
        await asyncio.gather(*answers)

    assert engines[0].batch_sizes + engines[1].batch_sizes == [2, 1, 1]


async def test_idle_engine_leaves_nothing_to_a_busy_one(decoder: FakeDecoder) -> None:
    engines = [FakeEngine(), FakeEngine()]
    idle, busy = engines
    busy.free.clear()
    with closing(pipeline_of(engines, decoder, threads=2)) as pipeline:
        first = pipeline.submit(file(0))
        await entered(busy.entered)
        answers = pipeline.submit_decoded([image(red) for red in range(MAX_BATCH)])
        await asyncio.gather(*answers)
        busy.free.set()
        await first

    assert idle.batch_sizes == [MAX_BATCH]


async def test_engine_is_not_kept_waiting(fake_engine: FakeEngine, decoder: FakeDecoder) -> None:
    decoder.free.clear()
    with closing(pipeline_of([fake_engine], decoder)) as pipeline:
        answers = [pipeline.submit(file(red)) for red in range(3)]
        decoder.free.set()
        await asyncio.gather(*answers)

    assert fake_engine.batch_sizes == [1, 1, 1]


async def test_pictures_are_decoded_while_the_engine_is_busy(
    fake_engine: FakeEngine, decoder: FakeDecoder
) -> None:
    with closing(pipeline_of([fake_engine], decoder, threads=2)) as pipeline:
        fake_engine.free.clear()
        answers = [pipeline.submit(file(0))]
        await entered(fake_engine.entered)
        answers += [pipeline.submit(file(red)) for red in (1, 2)]
        await decoded(pipeline, 2)
        fake_engine.free.set()
        await asyncio.gather(*answers)

    assert fake_engine.batch_sizes == [1, 2]


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
    assert sum(busy.batch_sizes) == 3
    assert pipeline.waiting == 0


async def test_close_answers_what_waits(fake_engine: FakeEngine, decoder: FakeDecoder) -> None:
    pipeline = pipeline_of([fake_engine], decoder, threads=2)
    answers = [pipeline.submit(file(0)) for _ in range(MAX_QUEUE)]

    await asyncio.to_thread(pipeline.close)

    assert len(await asyncio.gather(*answers)) == MAX_QUEUE
    assert not pipeline.healthy
    with pytest.raises(NotReadyError):
        pipeline.submit(file(0))
