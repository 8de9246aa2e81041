"""What runs in engine replicas, without Ray; tests/hardening/test_cluster.py has all of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import yaml

from app.card import read_card
from app.engines.remote import ModelName
from app.errors import InferenceError, ModelCardError, NotReadyError, SettingsError, StartupError
from app.model import Model
from app.ray_serve import _CALLS, EngineReplica, application
from app.settings import Settings
from tests.app.cards import card_of, write_card
from tests.app.fake_engine import FakeEngine

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("loaded", "checked")]

PICTURES = np.random.default_rng(0).integers(0, 256, (5, 227, 227, 3), np.uint8)
OLD, NEW, NEWEST = (ModelName(Path(f"models/{version}"), version) for version in ("1", "2", "3"))


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch, fake_engine: FakeEngine, tmp_path: Path) -> list[Path]:
    """The folders whose models were loaded, each called as its version; all have one engine."""
    folders = []

    def load(settings: Settings) -> Model:
        folders.append(settings.model)
        version = settings.model.name
        return Model(card_of(tmp_path).model_copy(update={"version": version}), [fake_engine])

    monkeypatch.setattr("app.ray_serve._assigned_resources", lambda: {"CPU": 2.0})
    monkeypatch.setattr("app.ray_serve._LOADING_SECONDS", 60)
    monkeypatch.setattr("app.ray_serve.load_model", load)
    monkeypatch.setattr("app.ray_serve.dictConfig", lambda _: None)  # pytest has its own
    return folders


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that tried a model, none of which was run; that of version 3 fails."""
    commands = []

    async def check(command: tuple[str, ...]) -> None:
        commands.append(" ".join(command))
        if "models/3" in commands[-1]:
            raise StartupError("It cannot be served.")

    monkeypatch.setattr("app.ray_serve.run_check", check)
    return commands


@pytest.fixture
async def replica() -> AsyncIterator[EngineReplica]:
    replica = EngineReplica(OLD)
    yield replica
    for service in replica._services.values():
        await service.close()


async def test_answers_are_the_engines(replica: EngineReplica) -> None:
    answers = await replica.predict(OLD, PICTURES)

    assert answers is not None
    for answer, expected in zip(answers, FakeEngine().predict(PICTURES), strict=True):
        assert answer.dtype == np.float32
        np.testing.assert_array_equal(answer, expected)


async def test_model_is_described(replica: EngineReplica) -> None:
    told = await replica.describe(OLD)

    assert told.card.version == "1"
    assert told[1:] == ("Fake", "cpu", 8)


async def test_first_model_is_loaded_once_and_before_it_is_asked_for(
    replica: EngineReplica, loaded: list[Path], checked: list[str]
) -> None:
    assert loaded == [OLD.folder]

    await replica.predict(OLD, PICTURES)

    assert loaded == [OLD.folder]
    assert checked == []


async def test_other_model_is_tried_elsewhere_and_kept_beside_the_first(
    replica: EngineReplica, loaded: list[Path], checked: list[str]
) -> None:
    for model in (NEW, OLD, NEW, OLD):
        told = await replica.describe(model)
        assert told.card.version == model.version

    assert loaded == [OLD.folder, NEW.folder]
    assert ["ALEXNET_MODEL=models/2" in command for command in checked] == [True]


async def test_model_that_fails_its_trial_is_not_loaded(
    replica: EngineReplica, loaded: list[Path]
) -> None:
    with pytest.raises(StartupError, match="It cannot be served"):
        await replica.predict(NEWEST, PICTURES)

    assert loaded == [OLD.folder]
    await replica.predict(OLD, PICTURES)


async def test_oldest_of_three_models_goes(replica: EngineReplica, loaded: list[Path]) -> None:
    for number in (2, 4, 2, 4, 1):
        await replica.describe(ModelName(Path(f"models/{number}"), str(number)))

    assert [int(folder.name) for folder in loaded] == [1, 2, 4, 1]


async def test_other_version_than_is_in_the_folder_is_refused(replica: EngineReplica) -> None:
    with pytest.raises(ModelCardError, match="is version 2, and 9 is asked for"):
        await replica.describe(NEW._replace(version="9"))


async def healthy_to_the_end(replica: EngineReplica) -> None:
    """Callers are told of a failure before the engine is tried once more."""
    while True:
        await replica.check_health()
        await asyncio.sleep(0.01)


async def test_replica_is_healthy_until_its_engine_fails(
    replica: EngineReplica, fake_engine: FakeEngine
) -> None:
    await replica.check_health()
    fake_engine.faults = [ArithmeticError()] * 100  # however the pictures are batched

    with pytest.raises(InferenceError):
        await replica.predict(OLD, PICTURES)
    with pytest.raises(NotReadyError):
        await healthy_to_the_end(replica)


def test_version_that_is_not_in_the_folder_is_not_deployed(tmp_path: Path) -> None:
    write_card(tmp_path, card_of(tmp_path))

    with pytest.raises(ModelCardError, match=r"is version 1\.2\.3, and 2 is asked for"):
        application({"model": str(tmp_path), "version": "2"})


def test_other_arguments_are_refused() -> None:
    with pytest.raises(SettingsError, match="The arguments are model, a folder, and version"):
        application({"folder": "models/mine"})


@pytest.mark.parametrize(
    ("device", "assigned", "used"),
    [
        ("auto", {"CPU": 1.0}, "cpu"),
        ("auto", {"CPU": 1.0, "GPU": 0.25}, "gpu"),
        ("cpu", {"CPU": 1.0, "GPU": 1.0}, "cpu"),
        ("gpu", {"CPU": 1.0}, "gpu"),
    ],
)
async def test_replica_takes_the_gpu_only_if_it_was_assigned_a_share(
    monkeypatch: pytest.MonkeyPatch,
    checked: list[str],
    device: str,
    assigned: dict[str, float],
    used: str,
) -> None:
    monkeypatch.setenv("ALEXNET_DEVICE", device)
    monkeypatch.setattr("app.ray_serve._assigned_resources", lambda: assigned)
    replica = EngineReplica(OLD)

    await replica.describe(NEW)

    assert replica._settings.device == used
    assert f" ALEXNET_DEVICE={used} " in checked[0]
    for service in replica._services.values():
        await service.close()


async def test_loading_outlives_the_call_that_began_it(
    replica: EngineReplica, monkeypatch: pytest.MonkeyPatch, loaded: list[Path]
) -> None:
    checks: list[ModelName] = []
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def check(_: tuple[str, ...]) -> None:
        checks.append(NEW)
        begun.set()
        await may_end.wait()

    monkeypatch.setattr("app.ray_serve.run_check", check)
    first = asyncio.create_task(replica.describe(NEW))
    await begun.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    second = asyncio.create_task(replica.describe(NEW))
    await asyncio.sleep(0)
    may_end.set()

    assert (await second).card.version == "2"
    assert len(checks) == 1
    assert loaded == [OLD.folder, NEW.folder]


async def test_call_does_not_wait_for_a_model_that_another_replica_may_have(
    replica: EngineReplica, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end = asyncio.Event()

    async def check(_: tuple[str, ...]) -> None:
        await may_end.wait()

    monkeypatch.setattr("app.ray_serve._LOADING_SECONDS", 0.01)
    monkeypatch.setattr("app.ray_serve.run_check", check)

    assert await replica.predict(NEW, PICTURES) is None
    assert await replica.predict(OLD, PICTURES) is not None
    may_end.set()
    await replica.describe(NEW)  # which waits until it is loaded
    assert await replica.predict(NEW, PICTURES) is not None


def test_the_configuration_is_one_that_the_application_can_fill() -> None:
    (configured,) = yaml.safe_load(Path("serve.yaml").read_text())["applications"]
    http, engine = (each["autoscaling_config"] for each in configured["deployments"])

    assert (
        http["max_replicas"] * _CALLS >= engine["max_replicas"] * engine["target_ongoing_requests"]
    )
    assert configured["args"] == {
        "model": "models/dogs-vs-cats",
        "version": read_card(Path("models/dogs-vs-cats")).version,
    }
