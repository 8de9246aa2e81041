from __future__ import annotations

import sys
from pathlib import Path

import pytest

from app.errors import OverloadedError
from app.main import create_app
from app.model import Model
from app.pipeline import Pipeline
from app.service import Service
from app.settings import Settings
from tests.app.cards import card_of
from tests.app.fake_engine import FakeEngine
from tests.app.pictures import picture
from tests.app.pipelines import MAX_QUEUE, file, image, red_of, until

pytestmark = pytest.mark.anyio


async def test_withdrawn_pictures_leave_the_queue_with_their_files(
    pipeline: Pipeline, busy: FakeEngine
) -> None:
    files = [bytes([200]) * 1000 for _ in range(MAX_QUEUE)]
    held = [sys.getrefcount(each) for each in files]
    withdrawn = pipeline.submit_decoded([image(0)] * MAX_QUEUE, patient=True)
    withdrawn += [pipeline.submit(each) for each in files]
    with pytest.raises(OverloadedError):
        pipeline.check_room()

    for answer in withdrawn:
        answer.cancel()
    await until(lambda: pipeline.waiting == 0)

    assert [sys.getrefcount(each) for each in files] == held
    last = pipeline.submit(file(100))
    busy.free.set()
    assert red_of(await last) == 100
    assert busy.batch_sizes == [1, 1]


async def test_picture_does_not_wait_for_one_that_was_withdrawn(tmp_path: Path) -> None:
    engine = FakeEngine()
    model = Model(card_of(tmp_path), [engine])
    app = create_app(Settings(device="cpu", threads=1), lambda _: model)
    async with app.router.lifespan_context(app):
        service: Service = app.state.service
        engine.free.clear()
        first = service.classify(picture())
        engine.entered.wait()
        second, withdrawn = service.classify(picture()), service.classify(picture())
        withdrawn.cancel()
        engine.free.set()

        await first
        await second

    assert engine.batch_sizes == [1, 1]
