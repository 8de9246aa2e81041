"""Pipelines of lanes, made for tests."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic

import pytest

from app.images import DecodedImage, decode_image
from app.job import Fault, Prediction
from app.lanes.fork_server import ForkServer
from app.lanes.pipeline import LanePipeline
from tests.app.lanes.servers import FAKE, TINY, LastingServer, ThreadServer
from tests.app.pictures import RED, picture
from tests.app.pipelines import until

MAX_BATCH = 4
MAX_QUEUE = 6
UNDECODABLE = FAKE._replace(order=FAKE.order._replace(max_pixels=None))
"""Decoding fails, for no fault of any picture."""


class Counts:
    def __init__(self) -> None:
        self.batches: list[int] = []
        self.faults: list[Fault] = []


@asynccontextmanager
async def running(
    server: ForkServer | ThreadServer, counts: Counts, *, max_batch: int = MAX_BATCH
) -> AsyncIterator[LanePipeline]:
    pipeline = LanePipeline(
        server,
        max_batch=max_batch,
        max_queue=MAX_QUEUE,
        count_batch=counts.batches.append,
        count_fault=counts.faults.append,
    )
    try:
        yield pipeline
    finally:
        await pipeline.end(0)


def decoded(color: tuple[int, int, int] = RED) -> DecodedImage:
    return decode_image(picture(color), TINY.order.size)


def class_of(prediction: Prediction) -> int:
    return int(prediction.probabilities.argmax())


async def given(pipeline: LanePipeline) -> None:
    """Return once lanes have what waited."""
    await until(lambda: pipeline.waiting == 0)


async def given_again(pipeline: LanePipeline, server: LastingServer, gone: int) -> None:
    """Return once other lanes have it, none of which is the one of that number."""
    await until(lambda: gone not in server.numbers and pipeline.waiting == 0)


async def fill(pipeline: LanePipeline) -> list[asyncio.Future[Prediction]]:
    """Give stopped lanes all that they take, which is one picture each."""
    answers = []
    for _ in TINY.threads * [0]:
        answers.append(pipeline.submit(picture()))
        await given(pipeline)
    return answers


def replaceable_when_set(
    server: LastingServer | ThreadServer, monkeypatch: pytest.MonkeyPatch
) -> threading.Event:
    """Return what a server waits for before it replaces a lane."""
    event, replace = threading.Event(), server.replace
    monkeypatch.setattr(server, "replace", lambda place: event.wait() and replace(place))
    return event


def hours_later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return what puts the lanes' clock forward."""
    hours = 0

    def put_forward() -> None:
        nonlocal hours
        hours += 1

    for module in ("lane", "pipeline"):
        monkeypatch.setattr(f"app.lanes.{module}.monotonic", lambda: monotonic() + 3600 * hours)
    return put_forward


async def kill_twice(pipeline: LanePipeline, server: LastingServer) -> None:
    """Kill the first lane, and once what it had is given again, the one in its place."""
    first = server.numbers[0]
    os.kill(first, signal.SIGKILL)
    await given_again(pipeline, server, first)
    for number in server.numbers:
        os.kill(number, signal.SIGKILL)
    server.stops_lanes = False
