"""The command `evaluate`: how good a run or an exported model is on labelled pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.data import Dataset, load_dataset
from training.errors import DataError
from training.files import write_text
from training.grid import Tile, save_grid
from training.metrics import Evaluation, evaluate_answers
from training.plots import plot_evaluation
from training.predictor import Predictor, predict_all
from training.source import open_source
from training.split import stratified_split

Part = Literal["validation", "all"]

_WORST = 20


class Judged(NamedTuple):
    """Labelled pictures and a network's answers to them."""

    dataset: Dataset
    positions: NDArray[np.intp]
    """Of the pictures in the data set, shape (m,)."""
    classes: NDArray[np.int32]
    """Theirs, shape (m,)."""
    probabilities: NDArray[np.float32]
    """Shape (m, classes)."""


def evaluate(
    predictor: Predictor, data: Path, output: Path, *, part: Part, cache: Path
) -> Evaluation:
    """Measure `predictor` on `data`; write `evaluation.json`, `evaluation.png` and `worst.png`.

    Args:
        predictor: The network.
        data: A labelled archive or folder.
        output: The folder to write to.
        part: "validation" for the fifth of the training's pictures that was held back, "all"
            for pictures that the network was not trained on.
        cache: The folder of decoded pictures.

    Raises:
        DataError: The pictures cannot be used, or "validation" is asked of other pictures
            than the network was trained on.
    """
    judged = judge(predictor, data, part=part, cache=cache)
    evaluation = evaluate_answers(judged.probabilities, judged.classes, predictor.labels)
    write_text(output / "evaluation.json", json.dumps(summary(evaluation), indent=2) + "\n")
    plot_evaluation(output / "evaluation.png", evaluation)
    save_grid(output / "worst.png", worst_tiles(judged, predictor.labels))
    return evaluation


def judge(predictor: Predictor, data: Path, *, part: Part, cache: Path) -> Judged:
    """Let the network answer; as `evaluate`, but for the reports."""
    with open_source(data) as source:
        dataset = load_dataset(source, predictor.side, cache)
    classes = dataset.classes(predictor.labels)
    positions = np.arange(len(dataset))
    if part == "validation":
        if dataset.counts != predictor.data.counts:
            raise DataError(
                f"{data} does not hold the pictures that {predictor.name} was trained on; "
                "add --part all to evaluate on every one of them, seen in training or not."
            )
        positions = stratified_split(classes, predictor.data.split_seed).validation
    probabilities = predict_all(predictor.predict, dataset.pixels, positions, predictor.name)
    return Judged(dataset, positions, classes[positions], probabilities)


def worst_tiles(judged: Judged, labels: tuple[str, ...]) -> list[Tile]:
    """The wrong answers that were given with the most confidence."""
    answers = judged.probabilities.argmax(axis=1)
    confidence = judged.probabilities.max(axis=1)
    wrong = np.flatnonzero(answers != judged.classes)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:_WORST]
    return [
        Tile(
            judged.dataset.pixels[judged.positions[index]],
            f"{Path(judged.dataset.names[judged.positions[index]]).name}\n"
            f"{labels[answers[index]]} {confidence[index]:.1%}",
        )
        for index in worst
    ]


def summary(evaluation: Evaluation) -> dict[str, Any]:
    """The figures, fit for JSON."""
    reliability = evaluation.reliability
    return {
        "images": evaluation.images,
        "accuracy": evaluation.accuracy,
        "log_loss": evaluation.log_loss,
        "expected_calibration_error": reliability.expected_calibration_error,
        "roc_area": {label: roc.area for label, roc in evaluation.rocs.items()},
        "labels": list(evaluation.labels),
        "confusion": evaluation.confusion.tolist(),
        "reliability": {
            "confidence": reliability.confidence.tolist(),
            "accuracy": reliability.accuracy.tolist(),
            "counts": reliability.counts.tolist(),
        },
    }


def table(evaluation: Evaluation) -> str:
    """The figures and the confusion matrix, for a terminal."""
    rows = [
        ("images", f"{evaluation.images}"),
        ("accuracy", f"{evaluation.accuracy:.4f}"),
        ("log loss", f"{evaluation.log_loss:.4f}"),
        (
            "expected calibration error",
            f"{evaluation.reliability.expected_calibration_error:.4f}",
        ),
        *((f"ROC area, {label}", f"{roc.area:.4f}") for label, roc in evaluation.rocs.items()),
    ]
    width = max(len(name) for name, _ in rows)
    figures = [f"{name:<{width}}  {value:>8}" for name, value in rows]
    cell = max(8, *(len(label) + 1 for label in evaluation.labels))
    heading = " " * width + "".join(f"{label:>{cell}}" for label in evaluation.labels)
    confusion = [
        f"{label:<{width}}" + "".join(f"{count:>{cell}}" for count in counts)
        for label, counts in zip(evaluation.labels, evaluation.confusion, strict=True)
    ]
    return "\n".join([*figures, "", "true label by answer:", heading, *confusion])
