from __future__ import annotations

import asyncio
from contextlib import closing

import pytest

from app.pipeline import Pipeline
from tests.app.fake_engine import FakeEngine
from tests.app.pipelines import (
    MAX_BATCH,
    MAX_QUEUE,
    FakeDecoder,
    entered,
    file,
    image,
    pipeline_of,
    red_of,
)

pytestmark = pytest.mark.anyio


async def test_patient_pictures_take_what_is_left_of_a_batch(
    pipeline: Pipeline, busy: FakeEngine
) -> None:
    patient = pipeline.submit_decoded([image(red) for red in (10, 20, 30)], patient=True)
    others = pipeline.submit_decoded([image(200)] * MAX_BATCH)
    busy.free.set()

    await asyncio.gather(*others, *patient)
    # A quarter of each batch while others wait, and whole batches afterwards.
    assert busy.batch_sizes == [1, MAX_BATCH, 2, 1]
    assert [red_of(await answer) for answer in patient] == [10, 20, 30]


async def test_patient_pictures_get_into_small_batches_too(
    fake_engine: FakeEngine, decoder: FakeDecoder
) -> None:
    fake_engine.free.clear()
    with closing(pipeline_of([fake_engine], decoder, max_batch=2)) as pipeline:
        first = pipeline.submit(file(0))
        await entered(fake_engine.entered)
        patient = pipeline.submit_decoded([image(0)] * 2, patient=True)
        others = [pipeline.submit(file(0)) for _ in range(3)]
        fake_engine.free.set()
        await asyncio.gather(first, *patient, *others)

    assert fake_engine.batch_sizes == [1, 2, 2, 1]


async def test_patient_pictures_do_not_wait_for_decoders(decoder: FakeDecoder) -> None:
    decoder.free.clear()
    with closing(pipeline_of([FakeEngine(), FakeEngine()], decoder, threads=2)) as pipeline:
        slow = pipeline.submit(file(200))
        await entered(decoder.entered)
        patient = pipeline.submit_decoded([image(10)] * MAX_QUEUE, patient=True)
        assert [red_of(await answer) for answer in patient] == [10] * MAX_QUEUE
        assert not slow.done()

        decoder.free.set()
        assert red_of(await slow) == 200


async def test_patient_pictures_leave_an_engine_free(decoder: FakeDecoder) -> None:
    engines = [FakeEngine(), FakeEngine()]
    free, busy = engines
    busy.free.clear()
    with closing(pipeline_of(engines, decoder, threads=2)) as pipeline:
        patient = pipeline.submit_decoded([image(0)] * MAX_QUEUE, patient=True)
        await entered(busy.entered)
        assert red_of(await pipeline.submit(file(200))) == 200
        busy.free.set()
        await asyncio.gather(*patient)

    assert free.batch_sizes[0] == 2  # with a quarter of patient ones
    assert busy.batch_sizes[0] == MAX_BATCH
