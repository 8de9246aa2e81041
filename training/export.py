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
from numpy.typing import NDArray

from app.card import CARD_NAME, Metrics, ModelCard, ModelFile
from app.engines.litert import FILE_NAME as LITERT_FILE
from training.data import load_dataset
from training.errors import DataError, ExportError
from training.files import whole_folder
from training.litert import tensorflow_version, write_litert
from training.metrics import mean_log_loss
from training.predictor import KERAS_FILE, Predict, keras_predict, litert_predict, predict_all
from training.run import Run
from training.source import open_source
from training.split import stratified_split

LARGEST_LOSS = 0.003
"""Of accuracy, from float to int8."""


class Validation(NamedTuple):
    """The pictures that all forms of a model are compared on."""

    pixels: NDArray[np.uint8]
    positions: NDArray[np.intp]
    classes: NDArray[np.int32]
    """Of the pictures at `positions`."""


def export(run: Run, data: Path, models: Path, *, name: str, version: str, cache: Path) -> Path:
    """Write `model.keras`, `model.tflite` and `model.json` of the run's best weights.

    Both files have their dense layers in int8 (see `quantize_dense` and `write_litert`).

    Args:
        run: A run with a finished epoch at full size.
        data: What it was trained on.
        models: The folder to make the model's folder in.
        name: Of the model, and of its folder.
        version: Of the model.
        cache: The folder of decoded pictures.

    Returns:
        The model's folder.

    Raises:
        ExportError: int8 loses more than `LARGEST_LOSS`; nothing is written then.
        DataError: `data` is not what the run was trained on.
        RunError: The run has no best weights.
    """
    network = keras.saving.load_model(run.read_best(), compile=False)
    validation = _validation(run, data, network.input_shape[1], cache)
    folder = models / name
    with whole_folder(folder) as aside:
        write_litert(aside / LITERT_FILE, network)
        metrics = {"float": _measure(keras_predict(network), validation, "float")}
        quantize_dense(network).save(aside / KERAS_FILE)
        quantized = keras.saving.load_model(aside / KERAS_FILE, compile=False)
        metrics["keras_int8"] = _measure(keras_predict(quantized), validation, "Keras int8")
        litert = litert_predict(aside / LITERT_FILE, network.input_shape[1])
        metrics["litert_int8"] = _measure(litert, validation, "LiteRT int8")
        check_loss(metrics)
        files = {file: _describe(aside / file) for file in (KERAS_FILE, LITERT_FILE)}
        card = _card(run, name, version, network.input_shape[1:], files, metrics)
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
        if lost > LARGEST_LOSS:
            raise ExportError(
                f"{form} is {lost:.2%} less accurate than float, where {LARGEST_LOSS:.2%} is "
                "allowed; train again, with more weight decay if the weights have outliers."
            )


def _validation(run: Run, data: Path, side: int, cache: Path) -> Validation:
    facts = run.read_data()
    with open_source(data) as source:
        if source.fingerprint() != facts["fingerprint"]:
            raise DataError(
                f"{data} does not hold the pictures that {run.folder} was trained on; "
                "give the same --data."
            )
        dataset = load_dataset(source, side, cache)
    classes = dataset.classes()
    positions = stratified_split(classes, facts["split_seed"]).validation
    return Validation(dataset.pixels, positions, classes[positions])


def _measure(predict: Predict, validation: Validation, title: str) -> Metrics:
    probabilities = predict_all(predict, validation.pixels, validation.positions, title)
    return Metrics(
        accuracy=float(np.mean(probabilities.argmax(axis=1) == validation.classes)),
        log_loss=mean_log_loss(probabilities, validation.classes),
        images=len(validation.classes),
    )


def _describe(path: Path) -> ModelFile:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ModelFile(sha256=digest, bytes=path.stat().st_size)


def _card(
    run: Run,
    name: str,
    version: str,
    input_shape: tuple[int, int, int],
    files: dict[str, ModelFile],
    metrics: dict[str, Metrics],
) -> ModelCard:
    created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return ModelCard(
        name=name,
        version=version,
        created=created,
        labels=run.read_labels(),
        input_shape=input_shape,
        files=files,
        recipe=run.read_recipe().as_dict(),
        data=run.read_summary(),
        metrics=metrics,
        software={
            "python": platform.python_version(),
            "keras": keras.__version__,
            "tensorflow": tensorflow_version(),
            "ai-edge-litert": installed_version("ai-edge-litert"),
            "pillow": installed_version("pillow"),
        },
    )
