"""The same service on Ray Serve, for more than one machine; the extra `ray` installs it.

HTTP replicas run the application of `app.main`. They read, decode and queue, and the engines that
their pipelines call are elsewhere. Engine replicas have the model, and a pipeline of their own: the
pictures that several HTTP replicas send at a time share its batches, and none waits for company.

    serve run app.ray_serve:application
"""

from __future__ import annotations

import asyncio
import os
import sys
from logging.config import dictConfig
from pathlib import Path
from typing import Any

import numpy as np
import ray
from fastapi import FastAPI
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError
from ray import serve
from ray.serve.deployment import Application, Deployment
from ray.serve.handle import DeploymentHandle

from app.card import ModelCard, read_card
from app.engines.engine import Answers
from app.engines.remote import Description, ModelName, RemoteEngine
from app.errors import ModelCardError, SettingsError
from app.images import DecodedImage
from app.log import log_config
from app.main import create_app
from app.memory import return_large_blocks
from app.metrics import Metrics
from app.model import Model, load_model
from app.reload import CHECK, run_check
from app.service import Service
from app.settings import Settings, load_settings

_CALLS = 8
"""Batches of an HTTP replica that are on their way at a time: enough to keep several engine
replicas busy."""
_REQUESTS = 1024
"""Of an HTTP replica at a time. Far more than pictures may wait, so that it is the application that
refuses, with a problem document, and Ray only where that many bodies are being sent."""
_DRAIN_SECONDS = 90
"""For an HTTP replica that is to end: by default, a request may take 30 s to arrive and 30 s to be
answered."""
_MODELS = 2
"""That an engine replica keeps: while versions change, some HTTP replicas ask for the old one and
others for the new."""
_LOADING_SECONDS = 0.25
"""That a call waits for a model that is being loaded: then it is sent again, maybe to a replica
that has it."""
_ALL_CALLS = 65_536
"""Pictures that an engine replica lets wait: as many as its callers send, who bound them."""


class Arguments(BaseModel):
    """What `application` is given, on the command line or in a configuration."""

    model_config = ConfigDict(extra="forbid")

    model: Path | None = None
    """Folder of the model, the same on every machine; else ALEXNET_MODEL."""
    version: str | None = None
    """Of the model that must be in the folder; else whichever is there."""


class EngineReplica:
    """Predicts pictures of the network's size, by any model that is asked for."""

    def __init__(self, model: ModelName) -> None:
        """Load a model before any picture comes. Must be called where an event loop runs.

        Raises:
            StartupError: It cannot be served.
        """
        self._settings = _prepare().model_copy(update={"max_queue": _ALL_CALLS})
        self._services: dict[ModelName, Service] = {}
        self._changes: dict[ModelName, asyncio.Task[None]] = {}
        self._changing = asyncio.Lock()
        self._serve(model, self._loaded(model))

    async def describe(self, model: ModelName) -> Description:
        """Return what there is to know of a model.

        Raises:
            StartupError: It cannot be served.
        """
        served = (await self._service(model)).model
        engine = served.engine
        return Description(served.card, engine.name, engine.device, engine.best_batch)

    async def predict(self, model: ModelName, batch: NDArray[np.uint8]) -> Answers | None:
        """Return the model's answers to pictures of shape (n, height, width, 3).

        None is for a model that is still being loaded: another replica may have it.

        Raises:
            StartupError: The model cannot be served.
        """
        _, height, width, _ = batch.shape
        images = [DecodedImage(pixels, width, height, format="") for pixels in batch]
        try:
            async with asyncio.timeout(_LOADING_SECONDS):
                service = await self._service(model)
        except TimeoutError:
            return None
        with service.held():
            predictions = await asyncio.gather(*service.classify_decoded(images))
        typicality = [each.typicality for each in predictions if each.typicality is not None]
        return Answers(
            np.stack([each.probabilities for each in predictions]),
            np.array(typicality, np.float32) if typicality else None,
        )

    async def check_health(self) -> None:
        """Raise if a model hangs, or all its engines fail: another replica takes the place."""
        for service in self._services.values():
            service.check_live()
            service.check_ready()

    async def _service(self, model: ModelName) -> Service:
        """Return a model's, the last that was asked for being the last in the dict.

        Loading may take longer than the call that begins it has: it goes on for the next one.
        """
        while model not in self._services:
            if model not in self._changes:
                self._changes[model] = asyncio.create_task(self._change_to(model))
                self._changes[model].add_done_callback(lambda _: self._changes.pop(model))
            await asyncio.shield(self._changes[model])
        self._services[model] = self._services.pop(model)
        return self._services[model]

    async def _change_to(self, model: ModelName) -> None:
        """Serve another model beside the last one, and no longer the one before that."""
        variables = {
            "PYTHONPATH": os.pathsep.join(sys.path),
            "ALEXNET_MODEL": model.folder,
            "ALEXNET_DEVICE": self._settings.device,
        }
        async with self._changing:
            await run_check(
                ("env", *(f"{name}={value}" for name, value in variables.items()), *CHECK)
            )
            self._serve(model, await asyncio.to_thread(self._loaded, model))
            if len(self._services) <= _MODELS:
                return
            oldest = self._services.pop(next(iter(self._services)))
        await oldest.free()
        await oldest.close()

    def _loaded(self, model: ModelName) -> Model:
        loaded = load_model(self._settings.model_copy(update={"model": model.folder}))
        _check_version(loaded.card, model.folder, model.version)
        return loaded

    def _serve(self, model: ModelName, loaded: Model) -> None:
        self._services[model] = Service(self._settings, loaded, Metrics())


class HTTPReplica:
    """Serves the application."""

    def __init__(self, engines: DeploymentHandle[Any], model: ModelName) -> None:
        self._engines = engines
        self._model = model
        self._app: FastAPI

    async def __serve_build_asgi_app__(self) -> FastAPI:
        """Return the application, once there is an engine replica that has the model.

        Ray starts it and ends it.

        Raises:
            StartupError: The model cannot be served.
        """
        settings = _prepare()
        told: Description = await self._engines.describe.remote(self._model)
        remotes = [
            RemoteEngine(self._engines, self._model, told, settings.answer_seconds)
            for _ in range(_CALLS)
        ]
        self._app = create_app(settings, lambda _: Model(told.card, remotes))
        return self._app

    async def check_health(self) -> None:
        """Raise NotLiveError if a part of the application hangs.

        Not where no engine answers: to replace this replica would not help.
        """
        self._app.state.service.check_live()


_ENGINE: Deployment = serve.deployment(
    name="engine",
    ray_actor_options={"num_cpus": 1},
    autoscaling_config={"min_replicas": 1, "max_replicas": 8, "target_ongoing_requests": 2},
    max_ongoing_requests=2 * _CALLS,
    max_surge_percent=25,
    health_check_period_s=2,
)(EngineReplica)
_HTTP: Deployment = serve.deployment(
    name="http",
    ray_actor_options={"num_cpus": 1},
    autoscaling_config={"min_replicas": 1, "max_replicas": 8, "target_ongoing_requests": 16},
    max_ongoing_requests=_REQUESTS,
    max_queued_requests=_REQUESTS,
    backpressure_config={"retry_after_s": 1},
    max_surge_percent=25,
    graceful_shutdown_timeout_s=_DRAIN_SECONDS,
    health_check_period_s=2,
    logging_config={"enable_access_log": False},  # there is one of our own
)(serve.ingress()(HTTPReplica))


def application(arguments: dict[str, Any]) -> Application:
    """Return what Ray Serve deploys.

    Args:
        arguments: Of `Arguments`.

    Raises:
        StartupError: The model's card cannot be read here, or is another version's.
    """
    try:
        chosen = Arguments.model_validate(arguments)
    except ValidationError as error:
        raise SettingsError(
            f"The arguments are model, a folder, and version. Received: {arguments}"
        ) from error
    folder = chosen.model or load_settings().model
    card = read_card(folder)
    _check_version(card, folder, chosen.version or card.version)
    model = ModelName(folder, card.version)
    return _HTTP.bind(_ENGINE.bind(model), model)


def _prepare() -> Settings:
    """Set this process up as a worker is, and return its settings: Ray says what it may use.

    Raises:
        SettingsError: The environment holds an unusable value.
    """
    settings = load_settings()
    dictConfig(log_config(settings.log_format, settings.log_level))
    return_large_blocks()
    assigned = _assigned_resources()
    update: dict[str, Any] = {}
    if "threads" not in settings.model_fields_set:
        update["threads"] = max(1, int(assigned.get("CPU", 0)))
    if settings.device == "auto":  # where Ray assigns no GPU it hides none, either
        update["device"] = "gpu" if assigned.get("GPU") else "cpu"
    return settings.model_copy(update=update)


def _assigned_resources() -> dict[str, float]:
    assigned: dict[str, float] = ray.get_runtime_context().get_assigned_resources()
    return assigned


def _check_version(card: ModelCard, folder: Path, version: str) -> None:
    if card.version != version:
        raise ModelCardError(
            f"The model in {folder} is version {card.version}, and {version} is asked for; name "
            "the folder that has that one, or ask for another."
        )
