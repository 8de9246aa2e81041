from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import NamedTuple

import keras
import pytest

from tests.training.jax import run_on_jax
from tests.training.workshop import EVERYTHING, Workshop
from training.__main__ import main
from training.devices import (
    Devices,
    find_devices,
    parse_devices,
    require_backend,
    require_even_shares,
)
from training.errors import DeviceError
from training.run import Run


class OnJax(NamedTuple):
    """What was trained by JAX, where TensorFlow cannot be imported."""

    alone: Path
    """The run of one device."""
    shared: Path
    """The same of two, and from the second epoch on of four."""
    evaluation: Path
    """Of the former."""


@pytest.fixture(scope="module")
def on_jax(tmp_path_factory: pytest.TempPathFactory) -> OnJax:
    folder = tmp_path_factory.mktemp("jax")
    # Of the 6 pictures to validate on, 2 cannot be shared out among 4 devices.
    workshop = Workshop(folder, pictures_a_class=15)
    runs = OnJax(folder / "alone", folder / "shared", folder / "evaluation")
    options = (
        *EVERYTHING,
        *("--stages", "99:1,227:1", "--precision", "float32", "--pictures", "accelerator"),
        # Sums in another order are rounded otherwise, and large steps make much of it.
        *("--learning-rate", "0.0002"),
    )
    on_several = [*workshop.train_arguments(runs.shared), *options, "--devices"]
    run_on_jax(
        [
            ["train", *workshop.train_arguments(runs.alone), *options],
            ["train one epoch only", *on_several, "2"],
            ["train", *on_several, "auto", "--resume"],
            [
                *("evaluate", "--model", str(runs.alone), "--data", str(workshop.data)),
                *("--output", str(runs.evaluation), "--cache", str(workshop.cache)),
            ],
        ],
        "--xla_force_host_platform_device_count=4",
    )
    return runs


def test_several_devices_train_as_one_does(on_jax: OnJax) -> None:
    ours, theirs = (Run(run).read_history() for run in (on_jax.shared, on_jax.alone))

    assert len(theirs) == 2
    for name in ("loss", "log_loss", "val_log_loss"):
        assert [row[name] for row in ours] == pytest.approx([row[name] for row in theirs], rel=2e-3)


def test_what_jax_trained_is_evaluated_without_tensorflow(on_jax: OnJax) -> None:
    measured = json.loads((on_jax.evaluation / "evaluation.json").read_text())

    assert measured["images"] == 6
    *_, last = Run(on_jax.alone).read_history()
    assert measured["log_loss"] == pytest.approx(last["val_log_loss"], rel=1e-3)


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["gpu:0", "gpu:1"])


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    ("devices", "found"), [(1, ()), (2, ("gpu:0", "gpu:1")), ("auto", ("gpu:0", "gpu:1"))]
)
def test_as_many_devices_are_taken_as_are_asked_for(
    devices: Devices, found: tuple[str, ...]
) -> None:
    assert find_devices(devices) == found


@pytest.mark.usefixtures("two_gpus")
def test_more_devices_than_there_are_is_an_error() -> None:
    with pytest.raises(DeviceError, match=r"--devices 3 are more than .*gpu:0, gpu:1"):
        find_devices(3)


@pytest.mark.usefixtures("two_gpus")
def test_auto_is_content_with_a_single_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["cpu:0"])

    assert find_devices("auto") == ()


@pytest.mark.parametrize("devices", [2, "auto"])
def test_only_jax_shares_batches_out(devices: Devices) -> None:
    with pytest.raises(DeviceError, match="set KERAS_BACKEND=jax"):
        find_devices(devices)


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_tensorflow_and_jax_train(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)

    require_backend()


def test_on_another_backend_nothing_is_trained(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")

    with pytest.raises(SystemExit, match=r"runs on torch, .* set KERAS_BACKEND=tensorflow or jax"):
        main(["train", "--data", str(tmp_path / "missing")])


def test_a_batch_is_shared_out_evenly_or_not_at_all() -> None:
    require_even_shares(126, ("gpu:0", "gpu:1", "gpu:2"))
    require_even_shares(127, ())

    with pytest.raises(ValueError, match="Received: 128 pictures for 3 devices"):
        require_even_shares(128, ("gpu:0", "gpu:1", "gpu:2"))


@pytest.mark.parametrize(("text", "devices"), [("auto", "auto"), ("4", 4)])
def test_devices_are_a_number_or_auto(text: str, devices: Devices) -> None:
    assert parse_devices(text) == devices


@pytest.mark.parametrize("text", ["0", "-1", "all", ""])
def test_other_devices_are_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="Received: "):
        parse_devices(text)
