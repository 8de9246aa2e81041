from __future__ import annotations

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.main import create_app
from app.settings import Settings
from tests.app.client import leave_while_waiting, post, post_batch
from tests.app.conftest import Load, serving
from tests.app.fake_engine import FakeEngine
from tests.app.figures import figure, figures
from tests.app.pictures import picture

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", "/"),
        ("/page/main.js", "/page"),
        ("/page/missing.js", "/page"),
        ("/v2/models/red-or-blue/ready", "/v2/models/{name}/ready"),
        ("/v2/models/made-up", "/v2/models/{name}"),
    ],
)
async def test_paths_with_names_in_them_are_counted_as_declared(
    fake_client: httpx.AsyncClient, path: str, route: str
) -> None:
    await fake_client.get(path)

    assert figure(await figures(fake_client), "alexnet_requests_total", route=route) == 1


async def test_requests_are_counted_by_route_status_and_problem(
    fake_client: httpx.AsyncClient,
) -> None:
    await post(fake_client, picture())
    await post(fake_client, b"a cat, in words")
    await fake_client.get("/predict")
    for made_up in ("/wp-login.php", "/.env"):
        await fake_client.get(made_up)

    text = await figures(fake_client)
    counted = {
        (sample.labels["route"], sample.labels["status"], sample.labels["problem"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "alexnet_requests_total"
    }
    assert counted == {
        ("/predict", "200", ""): 1,
        ("/predict", "415", "unsupported-image"): 1,
        ("/predict", "405", "method-not-allowed"): 1,
        ("other", "404", "not-found"): 2,
    }


async def test_failure_of_the_code_is_counted(
    fake_client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.service.Service.classify", lambda *_: 1 / 0)
    await post(fake_client, picture())

    text = await figures(fake_client)
    failed = {"route": "/predict", "status": "500", "problem": "internal-server-error"}
    assert figure(text, "alexnet_requests_total", **failed) == 1
    assert figure(text, "alexnet_request_seconds_count", route="/predict", status="5xx") == 1


async def test_problems_below_v2_are_counted_by_their_kind(fake_client: httpx.AsyncClient) -> None:
    await fake_client.get("/v2/models/made-up")

    text = await figures(fake_client)
    assert figure(text, "alexnet_requests_total", status="404", problem="unknown-model") == 1


async def test_time_is_told_by_route_and_kind_of_status(fake_client: httpx.AsyncClient) -> None:
    told = (await post(fake_client, picture())).json()["timing_ms"]
    for _ in range(2):
        await post(fake_client, b"a cat, in words")

    text = await figures(fake_client)
    answered = {"route": "/predict", "status": "2xx"}
    assert figure(text, "alexnet_request_seconds_count", **answered) == 1
    assert figure(text, "alexnet_request_seconds_count", route="/predict", status="4xx") == 2
    seconds = figure(text, "alexnet_request_seconds_sum", **answered)
    assert seconds > (sum(told.values()) - 0.151) / 1e3


async def test_rejections_are_counted_by_reason_in_requests_and_batches(
    fake_client: httpx.AsyncClient,
) -> None:
    words = b"a cat, in words"
    await post(fake_client, words)
    await post(fake_client, bytes(60_000))
    await post_batch(fake_client, picture(), words, words, picture(size=(300, 300))[:-300])

    text = await figures(fake_client)
    reasons = {"unsupported-image": 3, "file-too-large": 1, "broken-image": 1}
    for reason, count in reasons.items():
        assert figure(text, "alexnet_rejected_total", reason=reason) == count
    assert figure(text, "alexnet_rejected_total") == 5


async def test_clients_that_leave_are_told_apart(
    settings: Settings, fake_load: Load, fake_engine: FakeEngine
) -> None:
    app = create_app(settings, fake_load)
    async with serving(app) as client:
        fake_engine.free.clear()
        await leave_while_waiting(app, picture())
        fake_engine.free.set()

        text = await figures(client)
        assert figure(text, "alexnet_requests_total", problem="client-disconnected") == 1


async def test_figures_before_the_model_is_loaded(settings: Settings, fake_load: Load) -> None:
    transport = httpx.ASGITransport(create_app(settings, fake_load))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        await client.get("/health/ready")
        text = await figures(client)

    refused = {"route": "/health/ready", "status": "503", "problem": "not-ready"}
    assert figure(text, "alexnet_requests_total", **refused) == 1
    assert figure(text, "alexnet_model_info") == 0
