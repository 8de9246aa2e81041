from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode, format_span_id, format_trace_id

from app.images import DecodedImage
from app.request_id import trace_id
from tests.app.client import free_port, post, post_batch, until_ready
from tests.app.pictures import picture

pytestmark = pytest.mark.anyio

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr("opentelemetry.trace._TRACER_PROVIDER", provider)
    return exporter


def server_span(exporter: InMemorySpanExporter) -> ReadableSpan:
    (span,) = [span for span in exporter.get_finished_spans() if span.kind is SpanKind.SERVER]
    return span


def stages(exporter: InMemorySpanExporter) -> list[ReadableSpan]:
    spans = [span for span in exporter.get_finished_spans() if span.kind is SpanKind.INTERNAL]
    return sorted(spans, key=lambda span: span.start_time)


async def test_request_and_its_stages_are_spans(
    exporter: InMemorySpanExporter, fake_client: httpx.AsyncClient
) -> None:
    answer = await post(fake_client, picture(size=(900, 900)), headers={"X-Request-ID": "mine"})

    whole = server_span(exporter)
    assert whole.name == "POST /predict"
    assert whole.attributes["http.response.status_code"] == 200
    assert whole.attributes["request_id"] == "mine"
    assert {span.parent.span_id for span in stages(exporter)} == {whole.context.span_id}
    parts = [span for span in stages(exporter) if span.name in {"decode", "inference"}]
    assert [span.name for span in parts] == ["decode", "inference"]
    for name in ("decode", "queue", "inference"):
        took = sum(
            span.end_time - span.start_time for span in stages(exporter) if span.name == name
        )
        assert took / 1e6 == pytest.approx(answer.json()["timing_ms"][name], abs=0.06)
    for before, after in pairwise(stages(exporter)):
        assert after.start_time == pytest.approx(before.end_time, abs=10_000)
    assert stages(exporter)[-1].end_time <= whole.end_time


async def test_every_picture_of_a_batch_has_its_stages(
    exporter: InMemorySpanExporter, fake_client: httpx.AsyncClient
) -> None:
    await post_batch(fake_client, picture(), picture(), b"a cat, in words")

    names = [span.name for span in stages(exporter)]
    assert names.count("decode") == names.count("inference") == 2


async def test_callers_trace_goes_on(
    exporter: InMemorySpanExporter, fake_client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    monkeypatch.setattr("app.service.Service.check_ready", lambda _: seen.append(trace_id.get()))
    await post(fake_client, picture(), headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})

    whole = server_span(exporter)
    assert format_trace_id(whole.context.trace_id) == TRACE
    assert format_span_id(whole.parent.span_id) == PARENT
    assert set(seen) == {TRACE}, "lines of the log can have it"


async def test_trace_that_is_not_sampled_has_no_spans_but_its_lines_have_its_name(
    exporter: InMemorySpanExporter, fake_client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    monkeypatch.setattr("app.service.Service.check_ready", lambda _: seen.append(trace_id.get()))
    await post(fake_client, picture(), headers={"traceparent": f"00-{TRACE}-{PARENT}-00"})

    assert exporter.get_finished_spans() == ()
    assert set(seen) == {TRACE}


async def test_malformed_trace_context_is_ignored(
    exporter: InMemorySpanExporter, fake_client: httpx.AsyncClient
) -> None:
    answer = await post(fake_client, picture(), headers={"traceparent": "00-cat-dog-01"})

    assert answer.status_code == 200
    assert server_span(exporter).parent is None


async def test_failure_is_told_of_the_request(
    exporter: InMemorySpanExporter, fake_client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(*_: object) -> DecodedImage:
        raise LookupError("a secret of the server")

    monkeypatch.setattr("app.service.decode_image", decode)
    assert (await post(fake_client, picture())).status_code == 500

    assert server_span(exporter).status.status_code is StatusCode.ERROR
    assert stages(exporter) == []


@contextmanager
def collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """Yield the address of an OTLP collector, and what it has received."""
    received: list[ExportTraceServiceRequest] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.path == "/v1/traces":
                received.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", received
        server.shutdown()
        thread.join()


@contextmanager
def service(
    model: Path, code: str, **variables: str
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    port = free_port()
    own = {"ALEXNET_MODEL": str(model), "ALEXNET_DEVICE": "cpu"}
    with subprocess.Popen(
        [sys.executable, "-c", code, "--port", str(port)],
        env={**os.environ, **own, **variables},
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        url = f"http://127.0.0.1:{port}"
        until_ready(url)
        yield url, server


SERVE = "from app.__main__ import main; main()"
SERVE_WITHOUT_SDK = (
    "import sys; sys.modules['opentelemetry.sdk'] = sys.modules['opentelemetry.exporter'] = None; "
    + SERVE
)


def test_traces_reach_the_collector_that_the_environment_names(tiny_model: Path) -> None:
    with (
        collector() as (endpoint, received),
        service(tiny_model, SERVE, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint) as (url, server),
    ):
        httpx.post(url + "/predict", files={"file": picture()}).raise_for_status()
        server.terminate()
        log = server.communicate()[1]

    resources = [resource for request in received for resource in request.resource_spans]
    attributes = {
        attribute.key: attribute.value.string_value
        for resource in resources
        for attribute in resource.resource.attributes
    }
    names = [
        span.name
        for resource in resources
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    assert attributes["service.name"] == "alexnet"
    assert {"POST /predict", "decode", "inference"} <= set(names)
    assert [line for line in log.splitlines() if "opentelemetry" in line.lower()] == []


def test_service_works_without_the_packages_and_says_that_they_are_missing(
    tiny_model: Path,
) -> None:
    endpoint = "http://127.0.0.1:9"
    with service(tiny_model, SERVE_WITHOUT_SDK, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint) as (
        url,
        server,
    ):
        answer = httpx.post(url + "/predict", files={"file": picture()})
        server.terminate()
        log = server.communicate()[1]

    assert answer.status_code == 200
    assert answer.headers["x-request-id"]
    assert log.count("OpenTelemetry export requires fastapi[opentelemetry]") == 1


def test_nothing_of_the_packages_is_loaded_unless_they_are_configured(tiny_model: Path) -> None:
    code = (
        "import asyncio, sys\n"
        "from app.main import create_app\n"
        "from tests.app.conftest import serving\n"
        "from tests.app.client import post\n"
        "from tests.app.pictures import picture\n"
        "async def main():\n"
        "    async with serving(create_app()) as client:\n"
        "        assert (await post(client, picture())).status_code == 200\n"
        "asyncio.run(main())\n"
        "print([name for name in sys.modules if name.startswith(\n"
        "    ('opentelemetry.sdk', 'opentelemetry.exporter'))])\n"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "ALEXNET_MODEL": str(tiny_model), "ALEXNET_DEVICE": "cpu"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert loaded.stdout == "[]\n"
