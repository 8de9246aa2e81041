"""The service on Ray, in processes as they are run on a cluster."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.card import read_card
from app.main import create_app
from app.settings import Settings
from benchmarks.pictures import SMALL, photographs
from hardening.cluster import Cluster, cluster
from tests.app.cards import write_card
from tests.app.client import assert_problem, post
from tests.app.conftest import serving
from tests.app.pictures import picture

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform != "linux", reason="seen on Linux alone"),
]

MODEL = Path("models/dogs-vs-cats")
VARIABLES = {"ALEXNET_MAX_QUEUE": "1", "ALEXNET_ANSWER_SECONDS": "300"}
CROWD = 40


@pytest.fixture(scope="module")
def ray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A node with a replica of each kind, and room for those that take their places."""
    with cluster(tmp_path_factory.mktemp("cluster")) as ray:
        ray.add_node(slots=4)
        ray.deploy(1, variables=VARIABLES, spread=False)
        yield ray


@pytest.fixture
async def client(ray: Cluster) -> AsyncIterator[httpx.AsyncClient]:
    address = f"http://127.0.0.1:{ray.port}"
    async with httpx.AsyncClient(base_url=address, timeout=300) as client:
        yield client


@pytest.fixture
async def plain() -> AsyncIterator[httpx.AsyncClient]:
    """The same model without Ray, on one core as well."""
    async with serving(create_app(Settings(model=MODEL, device="cpu", threads=1))) as client:
        yield client


def without_times(response: httpx.Response) -> dict[str, Any]:
    answer = response.json()
    answer.pop("timing_ms", None)
    return answer


async def test_answers_are_the_plain_services_to_the_last_digit(
    client: httpx.AsyncClient, plain: httpx.AsyncClient
) -> None:
    broken = picture(size=(300, 300))[:-300]
    uploads = [*islice(photographs(SMALL), 3), picture(file_format="PNG"), broken, b"no picture"]

    for upload in uploads:
        answer, expected = await post(client, upload), await post(plain, upload)

        assert answer.status_code == expected.status_code
        assert answer.headers["content-type"] == expected.headers["content-type"]
        assert without_times(answer) == without_times(expected)


async def test_all_routes_are_there(client: httpx.AsyncClient, plain: httpx.AsyncClient) -> None:
    assert (await client.get("/openapi.json")).json() == (await plain.get("/openapi.json")).json()
    for path in ("/", "/docs", "/health/live", "/health/ready", "/v2", "/metrics"):
        assert (await client.get(path)).status_code == 200, path


async def test_model_tells_that_its_engine_is_elsewhere(client: httpx.AsyncClient) -> None:
    card = (await client.get("/models")).json()

    assert (card["engine"], card["device"]) == ("LiteRT", "remote cpu")


async def test_full_queue_is_refused_as_by_one_machine(client: httpx.AsyncClient) -> None:
    responses = await asyncio.gather(*(post(client, picture()) for _ in range(CROWD)))

    refused = [each for each in responses if each.status_code == 503]
    assert 0 < len(refused) < CROWD
    assert {each.status_code for each in responses} == {200, 503}
    for each in refused:
        assert_problem(each, 503, "Overloaded")
        assert each.headers["retry-after"] == "1"


async def test_request_outlives_the_engine_replica_that_is_to_answer_it(
    client: httpx.AsyncClient, ray: Cluster
) -> None:
    before = await post(client, picture())
    (victim,) = ray.replicas("engine")

    victim.kill()
    after = await post(client, picture())

    assert without_times(after) == without_times(before)
    (successor,) = ray.replicas("engine")
    assert successor.pid != victim.pid


async def test_change_of_the_version_fails_no_request(
    client: httpx.AsyncClient, ray: Cluster, tmp_path: Path
) -> None:
    folder = tmp_path / "newer"
    shutil.copytree(MODEL, folder)
    card = read_card(folder)
    swapped = {"version": "newer", "labels": card.labels[::-1]}  # which tells whose scores they are
    write_card(folder, card.model_copy(update=swapped))
    arguments = {"model": str(folder), "version": "newer"}
    change = asyncio.create_task(
        asyncio.to_thread(ray.deploy, 1, arguments, VARIABLES, spread=False)
    )
    versions: list[str] = []
    answers = set()

    while "newer" not in versions[-20:] or not change.done():
        answer = await post(client, picture())
        assert answer.status_code == 200, answer.text
        told = answer.json()
        versions.append(told["model"]["version"])
        answers.add((told["model"]["version"], told["label"], told["score"]))
        await asyncio.sleep(0.05)

    assert versions[0] == read_card(MODEL).version
    assert versions[-1] == "newer"
    (_, old_label, old_score), (_, new_label, new_score) = answers
    assert old_label != new_label
    assert old_score == new_score
