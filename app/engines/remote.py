"""The engine of an HTTP replica on Ray Serve: one that another process has."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from ray.exceptions import RayActorError
from ray.serve.handle import DeploymentHandle

from app.card import ModelCard
from app.engines.engine import Answers, Pictures
from app.errors import NotReadyError

_PAUSES = (0.25, 0.25, 0.25)
"""In seconds: a replica whose engines rest says so at once."""


class ModelName(NamedTuple):
    """What replicas call a model."""

    folder: Path
    version: str


class Description(NamedTuple):
    """A model, as an engine replica has loaded it."""

    card: ModelCard
    engine: str
    device: str
    best_batch: int


class RemoteEngine:
    """Whichever engine replica Ray chooses, which may be on another machine.

    A batch whose replica ends is sent to another one: they are alike. Once, since it may be what
    ended the first. A batch whose replica has no engine that answers is sent again, after a pause,
    to whichever Ray chooses then. So is one whose replica is still loading the model, as long as an
    answer is waited for.
    """

    def __init__(
        self, replicas: DeploymentHandle[Any], model: ModelName, told: Description, seconds: float
    ) -> None:
        """Wait at most so many seconds for an answer."""
        self.name = told.engine
        self.device = f"remote {told.device}"
        self.best_batch = told.best_batch
        self._replicas = replicas
        self._model = model
        self._seconds = seconds

    def predict(self, pictures: Pictures) -> Answers:
        batch = np.stack(list(pictures))
        ended, pauses = False, iter(_PAUSES)
        end = time.monotonic() + self._seconds
        while True:
            try:
                if (answers := self._ask(batch)) is not None:
                    return answers
                if time.monotonic() > end:
                    raise TimeoutError("The engine replicas are still loading the model.")
            except RayActorError:
                if ended:
                    raise
                ended = True
            except NotReadyError:
                if (pause := next(pauses, None)) is None:
                    raise
                time.sleep(pause)

    def _ask(self, batch: NDArray[np.uint8]) -> Answers | None:
        response = self._replicas.predict.remote(self._model, batch)
        try:
            answers: Answers | None = response.result(timeout_s=self._seconds)
        except TimeoutError:
            response.cancel()
            raise
        return answers
