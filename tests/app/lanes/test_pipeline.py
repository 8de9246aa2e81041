from __future__ import annotations

import asyncio

import numpy as np
import pytest

from app.errors import OverloadedError
from app.images import BrokenImageError, UnsupportedImageError, decode_image
from app.lanes.pipeline import LanePipeline
from tests.app.lanes.pipelines import MAX_BATCH, MAX_QUEUE, Counts, class_of, decoded, fill, running
from tests.app.lanes.servers import TINY, LastingServer
from tests.app.pictures import BLUE, RED, picture
from tests.app.pipelines import until

pytestmark = pytest.mark.anyio


async def test_picture_is_predicted(pipeline: LanePipeline, counts: Counts) -> None:
    prediction = await pipeline.submit(picture(BLUE))

    assert class_of(prediction) == 1
    assert prediction.typicality == pytest.approx(230 / 255, abs=0.01)
    assert prediction.image[1:] == (64, 48, "JPEG")
    assert prediction.image.pixels.shape == (0, 0, 3)
    assert min(prediction.decode_ms, prediction.queue_ms, prediction.inference_ms) > 0
    assert counts.batches == [1]
    assert counts.faults == []


async def test_each_picture_has_its_own_answer(pipeline: LanePipeline, counts: Counts) -> None:
    for _ in range(5):
        answers = [pipeline.submit(picture(color)) for color in (RED, BLUE, BLUE, RED, BLUE)]
        assert [class_of(await answer) for answer in answers] == [0, 1, 1, 0, 1]

    assert sum(counts.batches) == 25
    assert max(counts.batches) <= MAX_BATCH


async def test_broken_file_fails_alone(
    pipeline: LanePipeline, stopped: LastingServer, counts: Counts
) -> None:
    first = await fill(pipeline)
    neighbours = [pipeline.submit(picture(color)) for color in (RED, BLUE)]
    unknown, broken = pipeline.submit(b"no picture"), pipeline.submit(picture()[:300])
    neighbours += [pipeline.submit(picture(color)) for color in (BLUE, RED)]
    stopped.go_on()

    assert [class_of(await answer) for answer in neighbours] == [0, 1, 1, 0]
    with pytest.raises(UnsupportedImageError, match="send one of JPEG"):
        await unknown
    with pytest.raises(BrokenImageError):
        await broken
    await asyncio.gather(*first)
    assert counts.faults == []


@pytest.mark.parametrize("patient", [False, True])
async def test_decoded_pictures_are_predicted(pipeline: LanePipeline, patient: bool) -> None:
    images = [decoded(color) for color in (RED, BLUE, RED)]
    predictions = await asyncio.gather(*pipeline.submit_decoded(images, patient=patient))

    assert [class_of(prediction) for prediction in predictions] == [0, 1, 0]
    assert [prediction.decode_ms for prediction in predictions] == [0, 0, 0]
    assert predictions[1].image is images[1]


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
async def test_pixels_are_kept_for_who_wants_them(pipeline: LanePipeline, file_format: str) -> None:
    file = picture(BLUE, file_format=file_format)
    with_pixels = pipeline.submit(file, keeps_pixels=True)
    without = pipeline.submit(file)

    kept = (await with_pixels).image
    assert kept[1:] == (64, 48, file_format)
    np.testing.assert_array_equal(kept.pixels, decode_image(file, TINY.order.size).pixels)
    assert (await without).image.pixels.size == 0


@pytest.mark.usefixtures("stopped")
async def test_full_queue_refuses(pipeline: LanePipeline, server: LastingServer) -> None:
    answers = await fill(pipeline)
    answers += [pipeline.submit(picture()) for _ in range(MAX_QUEUE)]

    assert pipeline.waiting == MAX_QUEUE
    with pytest.raises(OverloadedError, match="try again"):
        pipeline.submit(picture())
    with pytest.raises(OverloadedError, match="try again"):
        pipeline.check_room()

    server.go_on()
    assert len(await asyncio.gather(*answers)) == MAX_QUEUE + 2
    pipeline.check_room()


@pytest.mark.usefixtures("stopped")
@pytest.mark.parametrize("patient", [False, True])
async def test_decoded_pictures_are_accepted_all_or_none(
    pipeline: LanePipeline, server: LastingServer, patient: bool
) -> None:
    answers = await fill(pipeline)
    with pytest.raises(OverloadedError, match="try again"):
        pipeline.submit_decoded([decoded()] * (MAX_QUEUE + 1), patient=patient)
    assert pipeline.waiting == 0

    answers += pipeline.submit_decoded([decoded()] * MAX_QUEUE, patient=patient)
    server.go_on()
    assert len(await asyncio.gather(*answers)) == MAX_QUEUE + 2


@pytest.mark.usefixtures("stopped")
@pytest.mark.parametrize("patient", [False, True])
async def test_picture_cancelled_before_its_turn_is_forgotten(
    pipeline: LanePipeline, server: LastingServer, counts: Counts, patient: bool
) -> None:
    answers = await fill(pipeline)
    gone = pipeline.submit_decoded([decoded()] * MAX_QUEUE, patient=patient)
    for answer in gone:
        answer.cancel()
    await until(lambda: pipeline.waiting == 0)
    answers.append(pipeline.submit(picture(BLUE)))
    server.go_on()

    assert [class_of(prediction) for prediction in await asyncio.gather(*answers)] == [0, 0, 1]
    assert counts.batches == [1, 1, 1]


async def test_picture_cancelled_after_its_turn_harms_no_other(
    pipeline: LanePipeline, stopped: LastingServer
) -> None:
    gone, stayed = await fill(pipeline)
    gone.cancel()
    stopped.go_on()

    assert class_of(await stayed) == 0


async def test_pictures_may_come_before_the_lanes_are_at_work(server: LastingServer) -> None:
    async with running(server, Counts()) as pipeline:
        answers = pipeline.submit_decoded([decoded()], patient=True)
        answers.append(pipeline.submit(picture(BLUE)))

        assert [class_of(await answer) for answer in answers] == [0, 1]
