"""OpenTelemetry traces.

FastAPI makes a span of every request once a tracer is configured, which it does itself where the
packages of the extra `tracing` are installed and OTEL_EXPORTER_OTLP_ENDPOINT is set. Without them,
only OpenTelemetry's API is imported, of which FastAPI is made.
"""

from __future__ import annotations

import asyncio
from time import perf_counter, time

from fastapi.telemetry import TelemetryConfig
from opentelemetry.trace import get_current_span, get_tracer

from app.job import Prediction

TELEMETRY: TelemetryConfig = {
    "auto_configure": True,
    "operation_spans": False,
    "metrics": False,  # Prometheus has them
    "logs": False,
}


def trace_stages(answer: asyncio.Future[Prediction]) -> None:
    """If the request is traced, let its trace tell where the time goes until there is an answer."""
    if get_current_span().is_recording():
        answer.add_done_callback(_add_spans)  # in the context of the request


def _add_spans(answer: asyncio.Future[Prediction]) -> None:
    if answer.cancelled() or answer.exception():
        return
    prediction = answer.result()
    tracer = get_tracer("app")
    epoch = time() - perf_counter()
    for stage, begin, end in prediction.stages():
        span = tracer.start_span(stage, start_time=_nanoseconds(epoch + begin))
        span.end(_nanoseconds(epoch + end))


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)
