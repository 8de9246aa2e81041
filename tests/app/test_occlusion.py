from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from app.engines.engine import Answers, Pictures
from app.errors import InferenceError, OverloadedError
from app.images import DecodedImage
from app.metrics import Metrics
from app.model import Model
from app.occlusion import GRID, explain, occluded
from app.service import Service
from app.settings import Settings
from tests.app.cards import card_of
from tests.app.fake_engine import FakeEngine
from tests.app.pictures import picture, spotted_picture
from tests.app.pipelines import decoded, until

pytestmark = pytest.mark.anyio

ALL = 1000


class SteppedEngine(FakeEngine):
    """Runs as many batches as it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = 0
        self.steps = threading.Semaphore(0)

    def predict(self, pictures: Pictures) -> Answers:
        self.begun += 1
        self.steps.acquire()
        return super().predict(pictures)


@pytest.fixture
def engine() -> SteppedEngine:
    return SteppedEngine()


@pytest.fixture
async def service(
    settings: Settings, engine: SteppedEngine, tmp_path: Path
) -> AsyncIterator[Service]:
    """With a queue that is full of one explanation."""
    narrow = settings.model_copy(update={"max_queue": GRID * GRID})
    service = Service(narrow, Model(card_of(tmp_path), [engine]), Metrics())
    yield service
    engine.steps.release(ALL)
    await service.close()


def test_every_region_is_hidden_with_its_surroundings() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (100, 80, 3), dtype=np.uint8)
    pixels[..., 0] |= 1
    hidden = occluded(DecodedImage(pixels, 80, 100, "FAKE"))

    assert len(hidden) == GRID * GRID
    changed = [np.argwhere((each.pixels != pixels).any(axis=-1)) for each in hidden]
    bounds = [(*places.min(axis=0).tolist(), *places.max(axis=0).tolist()) for places in changed]
    assert bounds[0] == (0, 0, 19, 15)
    assert bounds[1] == (0, 0, 19, 23)
    assert bounds[GRID] == (0, 0, 29, 15)
    assert bounds[-1] == (80, 64, 99, 79)
    mean = pixels.mean(axis=(0, 1)).astype(np.uint8).tolist()
    assert hidden[0].pixels[:20, :16].reshape(-1, 3).tolist() == [mean] * 20 * 16


async def test_what_the_answer_rests_on_stands_out(service: Service, engine: SteppedEngine) -> None:
    engine.steps.release(ALL)

    explanation = await explain(service, spotted_picture())

    # Mostly blue, which is the second class: hiding the red spot makes it more so.
    assert explanation.grid.shape == (GRID, GRID)
    row, column = np.unravel_index(explanation.grid.argmin(), explanation.grid.shape)
    assert (row, column) == (2, 7)
    assert explanation.grid[2, 7] < -0.005
    assert explanation.grid[7, 2] > 0


async def test_prediction_is_that_of_the_whole_picture(
    service: Service, engine: SteppedEngine
) -> None:
    engine.steps.release(ALL)

    explained = (await explain(service, picture())).prediction

    alone = await service.classify(picture())
    assert explained.probabilities.tolist() == alone.probabilities.tolist()
    assert explained.inference_ms > 0


async def test_others_go_first(service: Service, engine: SteppedEngine) -> None:
    explaining = asyncio.create_task(explain(service, picture()))
    await held_at(engine, 1)
    other = service.classify(picture())
    await decoded(service._pipeline, 1)

    engine.steps.release(2)  # the hidden pictures that were first, and the next batch

    await asyncio.wait_for(other, 60)
    assert not explaining.done()
    engine.steps.release(ALL)
    await explaining


async def held_at(engine: SteppedEngine, batch: int) -> None:
    """Let so many batches pass, and return once there is one more."""
    engine.steps.release(batch)
    await until(lambda: engine.begun == batch + 1)


async def test_queue_shorter_than_the_grid_is_enough(
    settings: Settings, fake_engine: FakeEngine, tmp_path: Path
) -> None:
    short = settings.model_copy(update={"max_queue": 7})
    service = Service(short, Model(card_of(tmp_path), [fake_engine]), Metrics())
    try:
        explanation = await explain(service, spotted_picture())
    finally:
        await service.close()

    assert explanation.grid[2, 7] == explanation.grid.min()


async def test_more_explanations_than_the_queue_holds_are_refused(
    service: Service, engine: SteppedEngine
) -> None:
    explained = asyncio.create_task(explain(service, picture()))
    await held_at(engine, 1)
    refused = asyncio.create_task(explain(service, picture()))
    await decoded(service._pipeline, 1)
    engine.steps.release(2)  # the hidden pictures that were first, and the other whole one

    with pytest.raises(OverloadedError, match="try again"):
        await refused
    engine.steps.release(ALL)
    assert (await explained).grid.shape == (GRID, GRID)


async def test_cancelling_withdraws_what_is_left(service: Service, engine: SteppedEngine) -> None:
    explaining = asyncio.create_task(explain(service, picture()))
    await held_at(engine, 1)

    explaining.cancel()
    await asyncio.wait([explaining])

    engine.steps.release(ALL)
    await service.classify(picture())
    assert sum(engine.batch_sizes) <= 1 + 8 + 1


async def test_fault_withdraws_what_is_left(service: Service, engine: SteppedEngine) -> None:
    engine.faults = [None, ArithmeticError("of the first hidden pictures")]
    engine.steps.release(2)

    with pytest.raises(InferenceError):
        await explain(service, picture())

    engine.steps.release(ALL)
    await service.classify(picture())
    assert sum(engine.batch_sizes) <= 1 + 8 + 8 + 1
