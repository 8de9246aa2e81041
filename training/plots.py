"""Pictures of what was measured, as PNG files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from training.files import whole_file

_COLOURS = ("#0b6e99", "#c4561c", "#4f7a28", "#7a4f9e", "#a03050", "#6b6b6b")


def save_figure(path: Path, figure: Figure) -> None:
    """Write a figure as PNG, whole or not at all."""
    FigureCanvasAgg(figure)
    with whole_file(path) as aside:
        figure.savefig(aside, dpi=120, bbox_inches="tight")


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
            for prefix, style, part in (("", "--", "training"), ("val_", "-", "validation")):
                values = [row[prefix + metric] for row in rows]
                axes.plot(
                    epochs, values, style, marker=".", color=colour, label=f"{name}, {part}"
                )
        axes.set(title=title, xlabel="Epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend()
    save_figure(path, figure)
