"""What the service tells Prometheus of itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from time import time
from typing import Literal, NamedTuple, NoReturn, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from app.card import ModelCard
from app.engines.engine import Runtime
from app.job import Fault, Prediction
from app.processes import memory_bytes, resident_bytes
from app.shared_figures import extremes, gathered

Outcome = Literal["loaded", "refused"]
"""Of an attempt to change the model."""

_SAMPLING_SECONDS = 1.0
_WEIGHING_SECONDS = 10.0
"""Between two looks at the memory, which take some milliseconds of a core for every process."""
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_PICTURES = (1, 2, 4, 6, 8, 16, 32, 64, 128)

# Every series would have another one, that tells when it began.
disable_created_metrics()  # type: ignore[no-untyped-call]  # ships no types for it


class State(NamedTuple):
    """What is not counted, but looked at."""

    waiting: int = 0
    """Pictures that wait for an engine."""
    stalled_seconds: float = 0.0
    """For how long nothing has moved in some part of the service."""
    ready: bool = False


class Metrics:
    """The figures of one application, or of all its processes where they share a folder.

    A prediction costs microseconds: it looks up no label, and what changes all the time, such as
    the queue, is only looked at once a second and when Prometheus asks.
    """

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "alexnet_requests",
            "Requests by route, status, and the kind of problem that was answered, if any.",
            ["route", "status", "problem"],
            registry=registry,
        )
        self._request_seconds = Histogram(
            "alexnet_request_seconds",
            "From a request's headers to the end of its answer, by route and kind of status.",
            ["route", "status"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._traffic: dict[tuple[str, int, str], tuple[Counter, Histogram]] = {}
        self._rejected = Counter(
            "alexnet_rejected",
            "Requests, and files of a batch, that were not answered, by the kind of problem.",
            ["reason"],
            registry=registry,
        )
        stages = Histogram(
            "alexnet_stage_seconds",
            "How long a predicted picture was decoded, waited, and was inferred with its batch.",
            ["stage"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._decode = stages.labels("decode")
        self._queue = stages.labels("queue")
        self._inference = stages.labels("inference")
        self._batches = Histogram(
            "alexnet_batch_pictures",
            "Pictures that the engine was given at once.",
            buckets=_PICTURES,
            registry=registry,
        )
        self._predictions = Counter(
            "alexnet_predictions", "Pictures by their label.", ["label"], registry=registry
        )
        self._model = Gauge(
            "alexnet_model_info",
            "1, for the model that answers and what runs it.",
            ["name", "version", "engine", "device"],
            multiprocess_mode="livemax",
            registry=registry,
        )
        self._served: Gauge | None = None
        self._reloads = Counter(
            "alexnet_model_reloads",
            "Attempts to change the model for the one on disk, by outcome: loaded or refused.",
            ["outcome"],
            registry=registry,
        )
        for outcome in get_args(Outcome):  # from 0 on, or the first one would be no increase
            self._reloads.labels(outcome)
        self._faults = Counter(
            "alexnet_faults",
            "Failures that are no picture's own fault, by where they happened.",
            ["stage"],
            registry=registry,
        )
        for stage in get_args(Fault):
            self._faults.labels(stage)
        self._waiting = Gauge(
            "alexnet_waiting_pictures",
            "Pictures that wait for an engine.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._stalled = Gauge(
            "alexnet_stalled_seconds",
            "For how long nothing has moved in some part of a process.",
            multiprocess_mode="livemax",
            registry=registry,
        )
        self._sampled = Gauge(
            "alexnet_oldest_sample_timestamp_seconds",
            "When the process that did so longest ago looked at itself, in Unix time.",
            multiprocess_mode="livemin",
            registry=registry,
        )
        self._sampled.set(time())
        self._ready = Gauge(
            "alexnet_ready_processes",
            "Processes that can answer.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._starts = Counter(
            "alexnet_process_starts",
            "Processes that began to serve: more than there are workers, and some were restarted.",
            registry=registry,
        )
        self._memory = Gauge(
            "alexnet_memory_bytes",
            "Memory of the processes that serve, decode and predict; what they share counts once. "
            "0 where the system does not tell.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._resident = Gauge(
            "process_resident_memory_bytes",
            "Resident memory of the processes that serve, 0 where the system does not tell.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._look: Callable[[], State] = State

    def serve(
        self, card: ModelCard, engine: Runtime, look: Callable[[], State]
    ) -> Callable[[asyncio.Future[Prediction]], None]:
        """Begin to tell of a model, and no more of the one before; return what counts its answers.

        Args:
            look: Returns how the service of it is; called every second, and when figures are read.
        """
        if self._served is not None:
            self._served.set(0)
        self._served = self._model.labels(card.name, card.version, engine.name, engine.device)
        self._served.set(1)
        self._look = look
        return partial(self._count_answer, [self._predictions.labels(each) for each in card.labels])

    def count_batch(self, pictures: int) -> None:
        """Count what an engine was given at once."""
        self._batches.observe(pictures)

    def count_reload(self, outcome: Outcome) -> None:
        """Count an attempt to change the model."""
        self._reloads.labels(outcome).inc()

    def count_fault(self, stage: Fault) -> None:
        """Count a failure that no picture is to blame for."""
        self._faults.labels(stage).inc()

    def _count_answer(
        self, predictions_of: Sequence[Counter], answer: asyncio.Future[Prediction]
    ) -> None:
        """Count what has been predicted, if it was; a request that failed is counted as such."""
        if answer.cancelled() or answer.exception():
            return
        prediction = answer.result()
        predictions_of[int(prediction.probabilities.argmax())].inc()
        if prediction.decode_ms:  # else it came decoded
            self._decode.observe(prediction.decode_ms / 1e3)
        self._queue.observe(prediction.queue_ms / 1e3)
        self._inference.observe(prediction.inference_ms / 1e3)

    def count_request(self, route: str, status: int, problem: str, seconds: float) -> None:
        """Count a request that was answered; `problem` is empty where there was none."""
        key = (route, status, problem)
        if key not in self._traffic:
            kind = f"{status // 100}xx"
            series = self._requests.labels(*key), self._request_seconds.labels(route, kind)
            self._traffic[key] = series
        requests, durations = self._traffic[key]
        requests.inc()
        durations.observe(seconds)
        if problem:
            self.count_rejected(problem)

    def count_refusal(self, status: int, problem: str) -> None:
        """Count what was answered before it was a request, and so took no time."""
        self._requests.labels("other", status, problem).inc()
        self.count_rejected(problem)

    def count_rejected(self, problem: str) -> None:
        """Count a request, or one file of a request, that was not answered."""
        self._rejected.labels(problem).inc()

    @contextlib.asynccontextmanager
    async def sampling(self) -> AsyncIterator[None]:
        """Look at what is not counted again and again, so that another process can tell of it."""
        self._starts.inc()
        tasks = [asyncio.create_task(keep()) for keep in (self._keep_sampling, self._keep_weighing)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()

    def render(self) -> bytes:
        """Return all figures in Prometheus's text format."""
        self._sample()
        return generate_latest(gathered(self._registry))

    def longest_stall(self) -> float:
        """Return for how many seconds nothing has moved in some part of any process."""
        self._sample()
        if (figures := extremes()) is None:
            return self._look().stalled_seconds
        stalled = figures.get("alexnet_stalled_seconds", 0.0)
        # One whose event loop hangs says nothing of it.
        sampled = figures.get("alexnet_oldest_sample_timestamp_seconds")
        return max(stalled, time() - sampled) if sampled else stalled

    async def _keep_sampling(self) -> NoReturn:
        while True:
            self._sample()
            await asyncio.sleep(_SAMPLING_SECONDS)

    async def _keep_weighing(self) -> NoReturn:
        while True:
            with contextlib.suppress(RuntimeError):  # there is no thread to be had, now
                self._memory.set(await asyncio.to_thread(memory_bytes))
            await asyncio.sleep(_WEIGHING_SECONDS)

    def _sample(self) -> None:
        state = self._look()
        self._sampled.set(time())
        self._waiting.set(state.waiting)
        self._stalled.set(state.stalled_seconds)
        self._ready.set(state.ready)
        self._resident.set(resident_bytes())
