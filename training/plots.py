"""Pictures of what was measured, as PNG files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from training.files import whole_file
from training.metrics import Evaluation

plain_text = rc_context({"text.parse_math": False})
"""Draws names as they are: what stands between two "$" would be read as a formula."""

_MOST_NAMED = 30  # classes
_MOST_MARKED = 40  # epochs: the marks of more hide which line is dashed
_COLOURS = ("#0b6e99", "#c4561c", "#4f7a28", "#7a4f9e", "#a03050", "#6b6b6b")


def save_figure(path: Path, figure: Figure) -> None:
    """Write a figure as PNG, whole or not at all."""
    FigureCanvasAgg(figure)
    with whole_file(path) as aside:
        figure.savefig(aside, dpi=120, bbox_inches="tight")


@plain_text
def plot_curves(path: Path, histories: Mapping[str, Sequence[Mapping[str, float]]]) -> None:
    """Log loss and accuracy, of training (dashed) and validation, by epoch.

    Args:
        path: Of the PNG.
        histories: Rows of `history.csv` by the name of their run.
    """
    figure = Figure(figsize=(10, 4))
    for axes, metric, title in zip(
        figure.subplots(1, 2), ("log_loss", "accuracy"), ("Log loss", "Accuracy"), strict=True
    ):
        for (name, rows), colour in zip(histories.items(), _COLOURS, strict=False):
            epochs = [row["epoch"] for row in rows]
            marker = "." if len(epochs) <= _MOST_MARKED else ""
            for prefix, style, part in (("", "--", "training"), ("val_", "-", "validation")):
                values = [row[prefix + metric] for row in rows]
                axes.plot(
                    epochs, values, style, marker=marker, color=colour, label=f"{name}, {part}"
                )
        axes.set(title=title, xlabel="Epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend()
    save_figure(path, figure)


@plain_text
def plot_evaluation(path: Path, evaluation: Evaluation) -> None:
    """Confusion matrix, ROC and reliability diagram, side by side."""
    figure = Figure(figsize=(14, 4.4), layout="constrained")
    confusion, roc, reliability = figure.subplots(1, 3)
    _draw_confusion(confusion, evaluation)
    _draw_roc(roc, evaluation)
    _draw_reliability(reliability, evaluation)
    save_figure(path, figure)


def _draw_confusion(axes: Axes, evaluation: Evaluation) -> None:
    counts = evaluation.confusion
    axes.imshow(counts, cmap="Blues")
    positions = range(len(evaluation.labels))
    if len(positions) <= _MOST_NAMED:
        axes.set_xticks(positions, evaluation.labels, rotation=90 if len(positions) > 2 else 0)
        axes.set_yticks(positions, evaluation.labels)
        _write_counts(axes, counts)
    axes.set(
        title=f"Accuracy {evaluation.accuracy:.4f} on {evaluation.images} pictures",
        xlabel="Answer",
        ylabel="True label",
    )


def _write_counts(axes: Axes, counts: NDArray[np.int64]) -> None:
    positions = range(len(counts))
    for row in positions:
        for column in positions:
            dark = counts[row, column] > counts.max() / 2
            axes.text(
                column,
                row,
                str(counts[row, column]),
                ha="center",
                va="center",
                color="white" if dark else "black",
            )


def _draw_roc(axes: Axes, evaluation: Evaluation) -> None:
    hardest = sorted(evaluation.rocs.items(), key=lambda named: named[1].area)[: len(_COLOURS)]
    for (label, roc), colour in zip(hardest, _COLOURS, strict=False):
        axes.plot(
            roc.false_positive_rate,
            roc.true_positive_rate,
            color=colour,
            label=f"\u200b{label}, area {roc.area:.4f}",  # one that begins with "_" would be hidden
        )
    axes.plot([0, 1], [0, 1], ":", color="grey")
    left_out = len(evaluation.rocs) - len(hardest)
    axes.set(
        title=f"ROC of the {len(hardest)} hardest of {len(evaluation.rocs)} classes"
        if left_out
        else "ROC",
        xlabel="False positive rate",
        ylabel="True positive rate",
    )
    axes.set_aspect("equal")
    if evaluation.rocs:
        axes.legend(loc="lower right")


def _draw_reliability(axes: Axes, evaluation: Evaluation) -> None:
    reliability = evaluation.reliability
    shares = reliability.counts / reliability.counts.sum()
    axes.bar(
        reliability.confidence, shares, width=0.02, color="lightgrey", label="share of pictures"
    )
    axes.plot([0, 1], [0, 1], ":", color="grey")
    axes.plot(reliability.confidence, reliability.accuracy, "o-", color=_COLOURS[0])
    error = reliability.expected_calibration_error
    axes.set(
        title=f"Reliability, expected calibration error {error:.4f}",
        xlabel="Confidence",
        ylabel="Accuracy",
        xlim=(0, 1.02),
        ylim=(0, 1.02),
    )
    axes.legend(loc="upper left")
