"""The command `evaluate`: how good a run or an exported model is on labelled pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engines.engine import Answers
from training.data import Dataset, holds_pictures_of, load_dataset
from training.domain import collect_neither, neither_typicality, roc_areas, typicality_of
from training.errors import DataError
from training.files import write_text
from training.findings import DomainFindings, Findings, summary
from training.grid import Tile, save_grid
from training.metrics import evaluate_answers
from training.plots import plot_evaluation
from training.predictor import Predictor, predict_all
from training.source import open_source
from training.split import stratified_split
from training.views import View, mirrored, sharpened, softened

Part = Literal["validation", "all"]

_WORST = 20


class Judged(NamedTuple):
    """Labelled pictures and a network's answers to them."""

    dataset: Dataset
    positions: NDArray[np.intp]
    """Of the pictures in the data set, shape (m,)."""
    classes: NDArray[np.int32]
    """Theirs, shape (m,)."""
    answers: Answers


def evaluate(
    predictor: Predictor,
    data: Path,
    output: Path,
    *,
    part: Part,
    cache: Path,
    photographs: Path | None = None,
) -> Findings:
    """Measure `predictor` on `data`; write `evaluation.json`, `evaluation.png` and `worst.png`.

    Args:
        predictor: The network.
        data: A labelled archive or folder.
        output: The folder to write to.
        part: "validation" for the fifth of the training's pictures that was held back, "all"
            for pictures that the network was not trained on.
        cache: The folder of decoded pictures.
        photographs: An archive or a folder of photographs of neither class, to tell the pictures
            from, beside those that are drawn.

    Raises:
        DataError: The pictures cannot be used, or "validation" is asked of other pictures
            than the network was trained on; or there are photographs for a network that does not
            tell how typical pictures are.
    """
    if predictor.domain is None and photographs is not None:
        raise DataError(
            f"{predictor.name} does not tell what is neither; evaluate the model that is exported "
            "from it, or leave out --neither."
        )
    neither = {} if predictor.domain is None else collect_neither(predictor.side, photographs)
    judged = judge(predictor, data, part=part, cache=cache)
    evaluation = evaluate_answers(judged.answers.probabilities, judged.classes, predictor.labels)
    findings = Findings(evaluation, _views(predictor, judged), _domain(predictor, judged, neither))
    write_text(output / "evaluation.json", json.dumps(summary(findings), indent=2) + "\n")
    plot_evaluation(output / "evaluation.png", evaluation)
    save_grid(output / "worst.png", worst_tiles(judged, predictor.labels))
    return findings


def judge(predictor: Predictor, data: Path, *, part: Part, cache: Path) -> Judged:
    """Let the network answer; as `evaluate`, but for the reports."""
    with open_source(data, training_only=True) as source:
        dataset = load_dataset(source, predictor.side, cache)
    classes = dataset.classes(predictor.labels)
    positions = np.arange(len(dataset))
    if part == "validation":
        if not holds_pictures_of(dataset, predictor.data):
            raise DataError(
                f"{data} does not hold the pictures that {predictor.name} was trained on; "
                "add --part all to evaluate on every one of them, seen in training or not."
            )
        positions = stratified_split(classes, predictor.data.split_seed).validation
    answers = predict_all(predictor.predict, dataset.pixels, positions, predictor.name)
    return Judged(dataset, positions, classes[positions], answers)


def worst_tiles(judged: Judged, labels: tuple[str, ...]) -> list[Tile]:
    """The wrong answers that were given with the most confidence."""
    answers = judged.answers.probabilities.argmax(axis=1)
    confidence = judged.answers.probabilities.max(axis=1)
    wrong = np.flatnonzero(answers != judged.classes)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:_WORST]
    return [
        Tile(
            judged.dataset.pixels[judged.positions[index]],
            f"{Path(judged.dataset.names[judged.positions[index]]).name}\n"
            f"{labels[judged.classes[index]]}, not {labels[answers[index]]} "
            f"({confidence[index]:.1%})",
        )
        for index in worst
    ]


def _views(predictor: Predictor, judged: Judged) -> dict[str, float]:
    def seen(view: View) -> NDArray[np.float32]:
        pixels = judged.dataset.pixels
        return predict_all(
            lambda chosen: predictor.predict(view(chosen)), pixels, judged.positions, view.__name__
        ).probabilities

    def accuracy(probabilities: NDArray[np.float32]) -> float:
        return float(np.mean(probabilities.argmax(axis=1) == judged.classes))

    return {
        "with the mirror image": accuracy(judged.answers.probabilities + seen(mirrored)),
        "softened": accuracy(seen(softened)),
        "sharpened": accuracy(seen(sharpened)),
    }


def _domain(
    predictor: Predictor, judged: Judged, neither: Mapping[str, NDArray[np.uint8]]
) -> DomainFindings | None:
    if predictor.domain is None:
        return None
    typical = typicality_of(judged.answers)
    return DomainFindings(
        passing=float(np.mean(typical >= predictor.domain.threshold)),
        roc_area=roc_areas(typical, neither_typicality(predictor.predict, neither)),
    )
