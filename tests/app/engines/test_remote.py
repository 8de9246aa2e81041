from __future__ import annotations

from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from ray.exceptions import ActorDiedError, ActorUnavailableError, RayActorError

from app.engines.engine import Answers
from app.engines.remote import Description, ModelName, RemoteEngine
from app.errors import NotReadyError
from tests.app.cards import card_of

MODEL = ModelName(Path("models/mine"), "1.2.3")
PICTURES = [np.full((227, 227, 3), shade, np.uint8) for shade in (1, 2, 3)]
ANSWERS = Answers(np.full((3, 2), 0.5, np.float32), None)


class Response:
    """One replica's, after what it does."""

    def __init__(self, answer: Answers | BaseException | None) -> None:
        self.answer = answer
        self.seconds = 0.0
        self.cancelled = False

    def result(self, *, timeout_s: float) -> Answers | None:
        self.seconds = timeout_s
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def cancel(self) -> None:
        self.cancelled = True


class Asked(NamedTuple):
    remote: Callable[..., Response]


class Replicas:
    """Stands for a handle of Ray's."""

    def __init__(self, *responses: Response) -> None:
        self._responses = iter(responses)
        self.calls: list[tuple[Any, ...]] = []
        self.predict = Asked(self._predict)

    def _predict(self, *arguments: Any) -> Response:
        self.calls.append(arguments)
        return next(self._responses)


def engine_of(replicas: Replicas, tmp_path: Path, seconds: float = 30) -> RemoteEngine:
    told = Description(card_of(tmp_path), "LiteRT", "cpu", 8)
    return RemoteEngine(replicas, MODEL, told, seconds)  # type: ignore[arg-type]  # as above


def test_pictures_go_as_one_array_with_the_models_name(tmp_path: Path) -> None:
    response = Response(ANSWERS)
    replicas = Replicas(response)

    answers = engine_of(replicas, tmp_path).predict(PICTURES)

    ((model, batch),) = replicas.calls
    assert answers is ANSWERS
    assert model == MODEL
    assert batch.dtype == np.uint8
    np.testing.assert_array_equal(batch, np.stack(PICTURES))
    assert response.seconds == 30


def test_it_tells_that_it_is_elsewhere(tmp_path: Path) -> None:
    engine = engine_of(Replicas(), tmp_path)

    assert (engine.name, engine.device, engine.best_batch) == ("LiteRT", "remote cpu", 8)


@pytest.mark.parametrize("fault", [ActorDiedError(), ActorUnavailableError("gone", None)])
def test_batch_is_sent_to_another_replica_where_the_first_ends(
    fault: RayActorError, tmp_path: Path
) -> None:
    replicas = Replicas(Response(fault), Response(ANSWERS))

    assert engine_of(replicas, tmp_path).predict(PICTURES) is ANSWERS
    assert len(replicas.calls) == 2


def test_batch_that_ends_two_replicas_is_sent_to_no_third(tmp_path: Path) -> None:
    replicas = Replicas(*(Response(ActorDiedError()) for _ in range(3)))

    with pytest.raises(RayActorError):
        engine_of(replicas, tmp_path).predict(PICTURES)
    assert len(replicas.calls) == 2


@pytest.mark.parametrize(("failures", "answered"), [(3, True), (4, False)])
def test_batch_that_finds_no_engine_is_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failures: int, *, answered: bool
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("app.engines.remote.time.sleep", pauses.append)
    unready = (Response(NotReadyError("All engines rest.")) for _ in range(failures))
    replicas = Replicas(*unready, Response(ANSWERS))
    engine = engine_of(replicas, tmp_path)

    if answered:
        assert engine.predict(PICTURES) is ANSWERS
    else:
        with pytest.raises(NotReadyError):
            engine.predict(PICTURES)
    assert len(replicas.calls) == 4
    assert len(pauses) == 3


def test_batch_whose_replica_is_loading_the_model_is_sent_again(tmp_path: Path) -> None:
    loading = [Response(None) for _ in range(5)]
    replicas = Replicas(*loading, Response(ANSWERS))

    assert engine_of(replicas, tmp_path).predict(PICTURES) is ANSWERS
    assert len(replicas.calls) == 6


def test_batch_is_sent_no_more_once_nobody_waits_for_it(tmp_path: Path) -> None:
    replicas = Replicas(*repeat(Response(None), 1000))

    with pytest.raises(TimeoutError, match="still loading"):
        engine_of(replicas, tmp_path, seconds=0).predict(PICTURES)


def test_what_an_engine_raises_is_not_tried_again(tmp_path: Path) -> None:
    replicas = Replicas(Response(ArithmeticError("of the engine")))

    with pytest.raises(ArithmeticError):
        engine_of(replicas, tmp_path).predict(PICTURES)
    assert len(replicas.calls) == 1


def test_call_that_is_not_answered_in_time_is_taken_back(tmp_path: Path) -> None:
    late = Response(TimeoutError())

    with pytest.raises(TimeoutError):
        engine_of(Replicas(late), tmp_path).predict(PICTURES)
    assert late.cancelled
