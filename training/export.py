"""The command `export`: a run becomes a model that the service can load."""

from __future__ import annotations

import datetime
import hashlib
import platform
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from app.card import CARD_NAME, Metrics, ModelCard, ModelFile, read_card
from app.engines.engine import Answers
from training.data import Dataset, holds_pictures_of, load_dataset
from training.domain import (
    collect_neither,
    describe_domain,
    neither_typicality,
    typicality_of,
)
from training.errors import DataError, ExportError
from training.files import whole_folder
from training.form import FILES
from training.litert import require_tensorflow, tensorflow_version, write_litert
from training.metrics import mean_log_loss, reliability
from training.predictor import (
    Predict,
    keras_predict,
    litert_predict,
    load_best,
    predict_all,
)
from training.run import Run
from training.served import LabelledPictures, make_served
from training.source import Source, open_source

LARGEST_LOSS = 0.002
"""Of accuracy, from float to integers; of few pictures, two at most."""
_LOST_BY_CHANCE = 2.5  # pictures


class _Measured(NamedTuple):
    """One form of a model on the validation pictures."""

    metrics: Metrics
    answers: Answers


def export(
    run: Run,
    data: Path,
    models: Path,
    *,
    name: str,
    version: str,
    cache: Path,
    photographs: Path | None = None,
) -> Path:
    """Write `model.keras`, `model.tflite` and `model.json` of the run's best weights.

    Both files have kernels of few bits (see `quantize_dense` and `write_litert`), are
    calibrated on the validation pictures, and tell how typical a picture is (see `make_served`).

    Args:
        run: A run with a finished epoch at full size.
        data: What it was trained on.
        models: The folder to make the model's folder in.
        name: Of the model, and of its folder.
        version: Of the model.
        cache: The folder of decoded pictures.
        photographs: An archive or a folder of photographs of neither class, to choose what
            measures typicality by, beside pictures that are drawn.

    Returns:
        The model's folder.

    Raises:
        ExportError: Keras does not run on TensorFlow, or quantization loses more than
            `LARGEST_LOSS`, or `name` is that of something else than a model of the same labels;
            nothing is written then.
        DataError: `data` is not what the run was trained on.
        RunError: The run has no best weights, or damaged ones.
        StorageError: There is no room for the model.
    """
    require_tensorflow()  # what needs it comes last
    folder = _folder_for(models, name, run.read_labels())
    network = load_best(run)
    side = network.input_shape[1]
    pictures = _pictures(run, data, side, cache)
    neither = collect_neither(side, photographs)
    served = make_served(network, pictures, neither)
    with whole_folder(folder) as aside:
        write_litert(aside / FILES["litert"], served.network)
        measured = {"float": _measure(keras_predict(served.network), pictures, "float")}
        quantize_dense(served.network).save(aside / FILES["keras"])
        quantized = keras.saving.load_model(aside / FILES["keras"], compile=False)
        measured["keras_int8"] = _measure(keras_predict(quantized), pictures, "Keras int8")
        litert = litert_predict(aside / FILES["litert"], side)
        measured["litert_int8"] = _measure(litert, pictures, "LiteRT int8")
        metrics = {form: each.metrics for form, each in measured.items()}
        check_loss(metrics)
        card = ModelCard(
            name=name,
            version=version,
            created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            labels=run.read_labels(),
            input_shape=(side, side, 3),
            files={file: _describe(aside / file) for file in FILES.values()},
            recipe=run.read_recipe().as_dict(),
            data=run.read_summary(),
            temperature=served.temperature,
            metrics=metrics,
            domain=describe_domain(
                served.score,
                typicality_of(measured["litert_int8"].answers),
                neither_typicality(litert, neither),
                served.tried,
            ),
            software=_software(),
        )
        (aside / CARD_NAME).write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return folder


def quantize_dense(network: keras.Model) -> keras.Model:
    """Turn the dense layers' kernels into int8, one scale a unit; activations stay float.

    The network is changed in place, and returned.
    """
    config = keras.quantizers.Int8QuantizationConfig(activation_quantizer=None)
    for layer in network.layers:
        if isinstance(layer, keras.layers.Dense):
            layer.quantize("int8", config=config)
    return network


def check_loss(metrics: dict[str, Metrics]) -> None:
    """Raise ExportError if a quantized form is less accurate than `LARGEST_LOSS` allows."""
    for form in ("keras_int8", "litert_int8"):
        lost = metrics["float"].accuracy - metrics[form].accuracy
        if lost > LARGEST_LOSS and lost * metrics[form].images > _LOST_BY_CHANCE:
            raise ExportError(
                f"{form} is {lost:.2%} less accurate than float, where {LARGEST_LOSS:.2%} is "
                "allowed; train again, with more weight decay if the weights have outliers."
            )


def _folder_for(models: Path, name: str, labels: tuple[str, ...]) -> Path:
    """Where the model goes; one of the same labels is replaced, anything else is not."""
    folder = models / name
    if folder.parent != models or name == "..":
        raise ExportError(f"--name is that of one folder below --models. Received: {name!r}")
    if not folder.exists():
        return folder
    if not (folder / CARD_NAME).is_file():
        raise ExportError(f"{folder} holds something else than a model; give another --name.")
    known = read_card(folder).labels
    if known != labels:
        raise ExportError(
            f"{folder} holds a model of {', '.join(known)}; give another --name, or remove it."
        )
    return folder


def _pictures(run: Run, data: Path, side: int, cache: Path) -> LabelledPictures:
    with open_source(data, training_only=True) as source:
        dataset = load_dataset(source, side, cache)
        same = _is_trained_on(run, source, dataset)
    if not same:
        raise DataError(
            f"{data} does not hold the pictures that {run.folder} was trained on; "
            "give the same --data."
        )
    return LabelledPictures(dataset.pixels, dataset.classes(), run.read_split())


def _is_trained_on(run: Run, source: Source, dataset: Dataset) -> bool:
    summary = run.read_summary()
    if summary.pictures is None:  # a run of before
        return source.fingerprint() == run.read_data().get("fingerprint")
    return holds_pictures_of(dataset, summary)


def _measure(predict: Predict, pictures: LabelledPictures, title: str) -> _Measured:
    positions = pictures.split.validation
    answers = predict_all(predict, pictures.pixels, positions, title)
    classes = pictures.classes[positions]
    metrics = Metrics(
        accuracy=float(np.mean(answers.probabilities.argmax(axis=1) == classes)),
        log_loss=mean_log_loss(answers.probabilities, classes),
        expected_calibration_error=reliability(
            answers.probabilities, classes
        ).expected_calibration_error,
        images=len(classes),
    )
    return _Measured(metrics, answers)


def _describe(path: Path) -> ModelFile:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ModelFile(sha256=digest, bytes=path.stat().st_size)


def _software() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "keras": keras.__version__,
        "tensorflow": tensorflow_version(),
        "ai-edge-litert": installed_version("ai-edge-litert"),
        "pillow": installed_version("pillow"),
    }
