from __future__ import annotations

import asyncio
import logging
import re

import httpx
import pytest

from app.images import BrokenImageError, DecodedImage
from app.main import create_app
from app.request_id import request_id
from app.settings import Settings
from tests.app.client import post
from tests.app.conftest import Load, serving
from tests.app.fake_engine import FakeEngine
from tests.app.pictures import picture
from tests.app.pipelines import decoded

pytestmark = pytest.mark.anyio


def names_in(response: httpx.Response) -> list[str]:
    return response.headers.get_list("x-request-id")


class Lines(logging.Handler):
    """Keeps what is logged, with the request that it is logged about."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append((request_id.get(), record.getMessage()))


@pytest.fixture
def lines() -> Lines:
    logger, lines = logging.getLogger("app"), Lines()
    logger.addHandler(lines)
    yield lines
    logger.removeHandler(lines)


async def test_every_request_has_a_name_of_its_own(fake_client: httpx.AsyncClient) -> None:
    names = [name for _ in range(3) for name in names_in(await fake_client.get("/models"))]

    assert all(re.fullmatch("[0-9a-f]{16}", name) for name in names)
    assert len(set(names)) == 3


@pytest.mark.parametrize("given", ["7", "Root=1-67891233-abc", "a.b_c~d:e/f+g@h=", "x" * 128])
async def test_well_formed_name_is_kept(fake_client: httpx.AsyncClient, given: str) -> None:
    response = await fake_client.get("/models", headers={"X-Request-ID": given})

    assert names_in(response) == [given]


@pytest.mark.parametrize(
    "given", ["", " ", "two words", "a\tb", 'a"b', "a\\n", "%0a", "x" * 129, "caf\xe9", "\x1b[2J"]
)
async def test_other_names_are_replaced(fake_client: httpx.AsyncClient, given: str) -> None:
    headers = [(b"x-request-id", given.encode("latin-1"))]
    response = await fake_client.get("/models", headers=headers)

    (name,) = names_in(response)
    assert re.fullmatch("[0-9a-f]{16}", name)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/page/main.js", 200),
        ("GET", "/page/missing.js", 404),
        ("GET", "/nothing", 404),
        ("GET", "/predict", 405),
        ("POST", "/predict", 422),
        ("GET", "/v2/models/made-up", 404),
        ("GET", "/metrics", 200),
    ],
)
async def test_every_answer_tells_it(
    fake_client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    response = await fake_client.request(method, path, headers={"X-Request-ID": "mine"})

    assert response.status_code == status
    assert names_in(response) == ["mine"]


async def test_failure_tells_it_in_words_too(
    fake_client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.service.Service.classify", lambda *_: 1 / 0)
    for path in ("/predict", "/explain"):
        response = await post(fake_client, picture(), path, {"X-Request-ID": "mine"})

        assert response.status_code == 500
        assert names_in(response) == ["mine"]
        assert "its log says why, at mine." in response.json()["detail"]


async def test_refusals_have_a_name_each(
    settings: Settings, fake_load: Load, fake_engine: FakeEngine
) -> None:
    narrow = settings.model_copy(update={"max_queue": 1, "threads": 1})
    app = create_app(narrow, fake_load)
    async with serving(app) as client:
        fake_engine.free.clear()
        accepted = [asyncio.create_task(post(client, picture()))]
        await asyncio.to_thread(fake_engine.entered.wait)
        accepted.append(asyncio.create_task(post(client, picture())))
        await decoded(app.state.service._pipeline, 1)
        names = [f"number-{number}" for number in range(3)]
        refusals = [await post(client, picture(), headers={"X-Request-ID": name}) for name in names]
        fake_engine.free.set()
        await asyncio.gather(*accepted)

    assert [each.status_code for each in refusals] == [503] * 3
    assert [names_in(each) for each in refusals] == [[name] for name in names]


async def test_lines_from_deep_inside_have_it(
    fake_client: httpx.AsyncClient, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(*_: object) -> DecodedImage:
        logging.getLogger("app.images").warning("a thread decodes")
        raise BrokenImageError("The picture is damaged; send it again.")

    monkeypatch.setattr("app.service.decode_image", decode)
    for name in ("first", "second"):
        await post(fake_client, picture(), headers={"X-Request-ID": name})

    assert lines.kept == [("first", "a thread decodes"), ("second", "a thread decodes")]


async def test_failure_of_a_batch_names_all_of_its_requests(
    settings: Settings, fake_load: Load, fake_engine: FakeEngine, lines: Lines
) -> None:
    app = create_app(settings.model_copy(update={"threads": 1}), fake_load)
    async with serving(app) as client:
        fake_engine.free.clear()
        fake_engine.faults = [None, ValueError("no memory")]
        answers = [asyncio.create_task(post(client, picture()))]
        await asyncio.to_thread(fake_engine.entered.wait)
        for number in range(3):
            headers = {"X-Request-ID": f"number-{number}"}
            answers.append(asyncio.create_task(post(client, picture(), headers=headers)))
            await decoded(app.state.service._pipeline, number + 1)
        fake_engine.free.set()
        await asyncio.gather(*answers)

    (names,) = [names for names, line in lines.kept if "The engine failed on a batch" in line]
    assert names == "number-0,number-1,number-2"
