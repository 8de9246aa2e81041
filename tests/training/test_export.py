from __future__ import annotations

import contextlib
import shutil
import zipfile
from pathlib import Path
from typing import Any

import httpx
import keras
import numpy as np
import pytest

from app.card import Metrics, read_card, verified_file
from app.main import create_app
from app.settings import Settings
from tests.app.conftest import serving
from tests.training.pictures import CAT, write_files, write_zip
from tests.training.workshop import Workshop
from training.__main__ import main
from training.domain import typicality_of
from training.errors import ExportError
from training.evaluate import judge
from training.export import check_loss
from training.neither import KINDS
from training.predictor import load_predictor
from training.run import Run
from training.served import LabelledPictures


def test_the_card_describes_what_lies_beside_it(workshop: Workshop) -> None:
    card = read_card(workshop.model)

    assert card.name == "brightness"
    assert card.labels == ("dark", "light")
    assert card.recipe["width"] == 1 / 32
    assert (card.data.training, card.data.validation) == (64, 16)
    assert set(card.metrics) == {"float", "keras_int8", "litert_int8"}
    assert {metrics.images for metrics in card.metrics.values()} == {16}
    assert all(metrics.expected_calibration_error is not None for metrics in card.metrics.values())
    assert card.temperature != 1
    assert card.domain is not None
    assert card.domain.score in card.domain.tried
    assert set(card.domain.roc_area) == set(KINDS)
    for name in ("model.keras", "model.tflite"):
        assert verified_file(workshop.model, card, name).stat().st_size == card.files[name].bytes


def test_dense_kernels_are_stored_in_int8(workshop: Workshop) -> None:
    network = keras.saving.load_model(workshop.model / "model.keras")

    kernels = {
        layer.name: layer.kernel.dtype for layer in network.layers if hasattr(layer, "kernel")
    }
    assert {kernels[f"fulconnect_{number}"] for number in (1, 2, 3, 4)} == {"int8"}
    assert kernels["convol_1"] == "float32"
    assert zipfile.is_zipfile(workshop.model / "model.keras")


@pytest.mark.anyio
async def test_the_service_answers_as_evaluate_does(workshop: Workshop) -> None:
    predictor = load_predictor(workshop.model)
    judged = judge(predictor, workshop.data, part="all", cache=workshop.cache)
    app = create_app(Settings(model=workshop.model, device="cpu"))

    async with serving(app) as client:
        answers = [await _post(client, workshop.data / name) for name in judged.dataset.names]

    scores = [
        [
            {one["label"]: one["score"] for one in answer["predictions"]}[label]
            for label in predictor.labels
        ]
        for answer in answers
    ]
    np.testing.assert_allclose(scores, judged.answers.probabilities, atol=2e-6)
    assert predictor.domain is not None
    typical = [predictor.domain.holds(value) for value in typicality_of(judged.answers)]
    assert [answer["in_domain"] for answer in answers] == typical


async def _post(client: httpx.AsyncClient, path: Path) -> dict[str, Any]:
    answer: dict[str, Any] = (
        await client.post("/predict", files={"file": path.read_bytes()})
    ).json()
    return answer


def test_another_backend_is_refused_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")

    with pytest.raises(SystemExit, match="run the export with KERAS_BACKEND=tensorflow"):
        main(["export", "--run", str(tmp_path), "--data", str(tmp_path)])


def test_an_export_that_loses_too_much_is_refused() -> None:
    good = Metrics(accuracy=0.95, log_loss=0.1, images=1000)
    bad = Metrics(accuracy=0.947, log_loss=0.1, images=1000)

    check_loss({"float": good, "keras_int8": good, "litert_int8": good})
    with pytest.raises(ExportError, match=r"litert_int8 is 0\.30% less accurate"):
        check_loss({"float": good, "keras_int8": good, "litert_int8": bad})


@pytest.mark.parametrize(("lost", "refused"), [(1, False), (2, False), (3, True)])
def test_of_few_pictures_two_may_be_lost_by_chance(lost: int, refused: bool) -> None:
    good, less = (
        Metrics(accuracy=right / 50, log_loss=0.1, images=50) for right in (48, 48 - lost)
    )

    with pytest.raises(ExportError) if refused else contextlib.nullcontext():
        check_loss({"float": good, "keras_int8": less, "litert_int8": good})


def test_only_what_was_trained_on_can_be_exported_with(workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "dark.0.jpg").write_bytes((workshop.data / "dark.0.jpg").read_bytes())

    with pytest.raises(SystemExit, match="give the same --data"):
        workshop.command(
            *("export", "--run", workshop.run, "--data", tmp_path),
            *("--models", tmp_path / "models"),
        )
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("name", ["..", ".", "", "a/b"])
def test_a_model_is_one_folder_below_the_others(workshop: Workshop, name: str) -> None:
    arguments = ("--run", workshop.run, "--data", workshop.data, "--models", workshop.model.parent)

    with pytest.raises(SystemExit, match="one folder below --models"):
        workshop.command("export", *arguments, "--name", name)


def test_what_is_no_model_is_not_replaced(workshop: Workshop, tmp_path: Path) -> None:
    pictures = write_files(tmp_path / "mine", {"1.jpg": CAT})
    arguments = ("--run", workshop.run, "--data", workshop.data, "--models", tmp_path)

    with pytest.raises(SystemExit, match="mine holds something else than a model"):
        workshop.command("export", *arguments, "--name", "mine")

    assert (pictures / "1.jpg").read_bytes() == CAT


def test_pictures_are_known_wherever_they_were_moved_to(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"train/{file.name}": file.read_bytes() for file in workshop.data.iterdir()}
    data = write_zip(tmp_path / "moved.zip", files)
    run = Run(shutil.copytree(workshop.run, tmp_path / "run"))
    before = run.read_split()
    lines = run.split_file.read_text()
    run.split_file.write_text(lines.replace("training", "excluded", 2))
    splits = []

    def stop(_: object, pictures: LabelledPictures, *__: object) -> None:
        splits.append(pictures.split)
        raise ExportError("enough")

    monkeypatch.setattr("training.export.make_served", stop)
    with pytest.raises(SystemExit, match="enough"):
        workshop.command("export", "--run", run.folder, "--data", data, "--models", tmp_path)

    (split,) = splits
    assert split.validation.tolist() == before.validation.tolist()
    assert split.training.tolist() == before.training[2:].tolist()
