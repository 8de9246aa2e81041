from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from PIL import Image

from tests.training.pictures import size_of
from training.metrics import Evaluation, evaluate_answers
from training.plots import plot_curves, plot_evaluation

ROWS = [
    {"epoch": epoch, "log_loss": 1 / epoch, "accuracy": 0.5, "val_log_loss": 2, "val_accuracy": 0.4}
    for epoch in (1, 2)
]


def test_curves_show_every_run(tmp_path: Path) -> None:
    plot_curves(tmp_path / "one.png", {"seed": ROWS})
    plot_curves(tmp_path / "two.png", {"seed": ROWS, "best": ROWS[:1]})

    colours = []
    for name in ("one.png", "two.png"):
        with Image.open(tmp_path / name) as image:
            colours.append({colour for _, colour in image.convert("RGB").getcolors(1 << 24)})
    blue, orange = (0x0B, 0x6E, 0x99), (0xC4, 0x56, 0x1C)
    assert [blue in each for each in colours] == [True, True]
    assert [orange in each for each in colours] == [False, True]


def evaluation_of(labels: tuple[str, ...]) -> Evaluation:
    count = len(labels)
    probabilities = np.random.default_rng(0).dirichlet(np.ones(count), 30).astype(np.float32)
    return evaluate_answers(probabilities, np.arange(30, dtype=np.int32) % count, labels)


@pytest.mark.parametrize("labels", [("cat", "dog"), ("ant", "bee", "cow")])
def test_evaluation_is_drawn_for_any_number_of_classes(
    tmp_path: Path, labels: tuple[str, ...]
) -> None:
    plot_evaluation(tmp_path / "evaluation.png", evaluation_of(labels))

    width, height = size_of(tmp_path / "evaluation.png")
    assert width > 2 * height > 600


def test_of_many_classes_the_hardest_are_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Axes] = []
    monkeypatch.setattr("training.plots.save_figure", lambda _, figure: drawn.extend(figure.axes))
    evaluation = evaluation_of((*"abcdefgh", "_background"))

    plot_evaluation(tmp_path / "evaluation.png", evaluation)

    roc = drawn[1]
    hardest = sorted(evaluation.rocs.items(), key=lambda named: named[1].area)[:6]
    legend = roc.get_legend()
    assert legend is not None
    assert [text.get_text().strip("\u200b") for text in legend.get_texts()] == [
        f"{label}, area {each.area:.4f}" for label, each in hardest
    ]
    assert roc.get_title() == "ROC of the 6 hardest of 9 classes"
