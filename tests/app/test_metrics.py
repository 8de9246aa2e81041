from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.main import create_app
from app.metrics import FOLDER_VARIABLE
from app.settings import Settings
from tests.app.client import free_port, post
from tests.app.conftest import Load, serving
from tests.app.fake_engine import FakeEngine
from tests.app.pictures import BLUE, RED, picture

pytestmark = pytest.mark.anyio


def figure(text: str, name: str, /, **labels: str) -> float:
    """Return the sum of the samples of this name that have these labels."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


async def figures(client: httpx.AsyncClient) -> str:
    response = await client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=")
    return response.text


async def test_predictions_are_counted_by_label(fake_client: httpx.AsyncClient) -> None:
    for color in (RED, BLUE, BLUE):
        await post(fake_client, picture(color))

    text = await figures(fake_client)
    assert figure(text, "alexnet_predictions_total", label="red") == 1
    assert figure(text, "alexnet_predictions_total", label="blue") == 2
    assert figure(text, "alexnet_batch_pictures_sum") == 3
    assert figure(text, "alexnet_batch_pictures_count") == 3


async def test_stages_add_up_to_what_clients_are_told(fake_client: httpx.AsyncClient) -> None:
    told = (await post(fake_client, picture(size=(900, 900)))).json()["timing_ms"]

    text = await figures(fake_client)
    for stage, milliseconds in told.items():
        assert figure(text, "alexnet_stage_seconds_count", stage=stage) == 1
        seconds = figure(text, "alexnet_stage_seconds_sum", stage=stage)
        assert seconds * 1e3 == pytest.approx(milliseconds, abs=0.051)


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


async def test_what_waits_and_what_is_refused(
    settings: Settings, fake_load: Load, fake_engine: FakeEngine
) -> None:
    narrow = settings.model_copy(update={"max_queue": 1, "threads": 1})
    async with serving(create_app(narrow, fake_load)) as client:
        fake_engine.free.clear()
        accepted = [asyncio.create_task(post(client, picture()))]
        await asyncio.to_thread(fake_engine.entered.wait)
        accepted.append(asyncio.create_task(post(client, picture())))
        while not figure(text := await figures(client), "alexnet_waiting_pictures"):
            await asyncio.sleep(0.01)
        await post(client, picture())
        fake_engine.free.set()
        await asyncio.gather(*accepted)

        assert figure(text, "alexnet_waiting_pictures") == 1
        text = await figures(client)
        assert figure(text, "alexnet_waiting_pictures") == 0
        assert (
            figure(
                text,
                "alexnet_requests_total",
                route="/predict",
                status="503",
                problem="overloaded",
            )
            == 1
        )


async def test_failure_of_the_code_is_counted(
    fake_client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.service.Service.classify", lambda *_: 1 / 0)
    await post(fake_client, picture())

    text = await figures(fake_client)
    failed = {"route": "/predict", "status": "500", "problem": "internal-server-error"}
    assert figure(text, "alexnet_requests_total", **failed) == 1


async def test_withdrawn_and_failed_pictures_are_no_predictions(
    fake_client: httpx.AsyncClient, fake_engine: FakeEngine
) -> None:
    fake_engine.faults.append(ValueError("no memory"))
    await post(fake_client, picture())
    await post(fake_client, picture()[:-300])

    text = await figures(fake_client)
    assert figure(text, "alexnet_predictions_total") == 0
    assert figure(text, "alexnet_stage_seconds_count") == 0
    assert figure(text, "alexnet_requests_total", problem="inference-failed") == 1


async def test_model_and_memory(fake_client: httpx.AsyncClient) -> None:
    text = await figures(fake_client)

    model = {"name": "red-or-blue", "version": "1.2.3", "engine": "Fake", "device": "cpu"}
    assert figure(text, "alexnet_model_info", **model) == 1
    if sys.platform == "linux":
        assert figure(text, "process_resident_memory_bytes") > 10 * 2**20


async def test_applications_of_one_process_count_for_themselves(
    settings: Settings, fake_load: Load
) -> None:
    async with (
        serving(create_app(settings, fake_load)) as first,
        serving(create_app(settings, fake_load)) as second,
    ):
        await post(first, picture())

        assert figure(await figures(first), "alexnet_batch_pictures_count") == 1
        assert figure(await figures(second), "alexnet_batch_pictures_count") == 0


async def test_figures_before_the_model_is_loaded(settings: Settings, fake_load: Load) -> None:
    transport = httpx.ASGITransport(create_app(settings, fake_load))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        await client.get("/health/ready")
        text = await figures(client)

    refused = {"route": "/health/ready", "status": "503", "problem": "not-ready"}
    assert figure(text, "alexnet_requests_total", **refused) == 1
    assert figure(text, "alexnet_model_info") == 0


@contextmanager
def two_workers(model: Path, temporary: Path) -> Iterator[str]:
    """Serve with two processes, and yield the address."""
    port = free_port()
    variables = {"ALEXNET_MODEL": str(model), "ALEXNET_WORKERS": "2", "ALEXNET_DEVICE": "cpu"}
    with subprocess.Popen(
        [sys.executable, "-m", "app", "--port", str(port)],
        env={**os.environ, **variables, "TMPDIR": str(temporary)},
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def until(url: str, name: str, value: float) -> None:
    """Ask for the figures until one of them is `value`: each process is looked at every second."""
    seen = None
    for _ in range(600):
        try:
            seen = figure(httpx.get(url + "/metrics").text, name)
        except httpx.HTTPError:
            seen = None
        if seen == value:
            return
        time.sleep(0.1)
    raise AssertionError(f"{name} is {seen} and not {value}")


def test_each_worker_tells_of_all(tiny_model: Path, tmp_path: Path) -> None:
    with two_workers(tiny_model, tmp_path) as url:
        until(url, "alexnet_model_info", 1)
        (folder,) = tmp_path.iterdir()
        while len(list(folder.glob("gauge_livesum_*.db"))) < 2:
            time.sleep(0.1)
        for _ in range(20):  # each by a connection of its own, so that both workers get some
            httpx.post(url + "/predict", files={"file": picture(BLUE)}).raise_for_status()

        until(url, "alexnet_predictions_total", 20)
        assert len({path.stem.rpartition("_")[2] for path in folder.iterdir()}) == 2

    assert list(tmp_path.iterdir()) == [], "the folder is removed with the service"


def test_ended_worker_is_forgotten_but_for_what_it_counted(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from app.metrics import Metrics\n"
        "metrics = Metrics()\n"
        "metrics.count_request('/predict', 200, '', 0.1)\n"
        "sys.stdout.write(metrics.render().decode())\n"
    )
    texts = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, FOLDER_VARIABLE: str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(2)
    ]

    assert figure(texts[1], "alexnet_requests_total") == 2
    memory = [figure(text, "process_resident_memory_bytes") for text in texts]
    assert memory[1] < 1.5 * memory[0], "the first process's memory is counted no more"


def test_workers_need_a_folder_for_their_figures(tiny_model: Path) -> None:
    code = (
        "import sys, tempfile\n"
        "tempfile._candidate_tempdir_list = lambda: ['/nowhere']\n"
        "from app.__main__ import main\n"
        "main()\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "ALEXNET_MODEL": str(tiny_model), "ALEXNET_WORKERS": "2"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 1
    assert result.stderr.startswith("Several workers need a folder for temporary files")
    assert result.stderr.count("\n") == 1
