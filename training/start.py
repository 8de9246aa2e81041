"""The weights of an earlier training, to go on from by another recipe or with other pictures."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from app.card import CARD_NAME, DataSummary, read_card, verified_file
from training.errors import RunError
from training.form import FILES
from training.model import FLATTENED_DENSE, FLATTENED_UNITS, LAST_DENSE, build_alexnet
from training.precision import precision_scope
from training.predictor import load_best, load_network
from training.run import Run
from training.unfolding import unfold_normalization


class Start(NamedTuple):
    """Where a training begins, if not at random."""

    name: str
    """With the first digits of the file's sha256."""
    labels: tuple[str, ...]
    data: DataSummary
    """What it was trained on."""
    at_random: bool
    """Whether it began with random weights itself."""
    plain: keras.Model
    """A float32 AlexNet without normalizations to fold, and not calibrated."""
    trained_on: frozenset[tuple[str, str]] | None
    """File names, without their folders, and labels; an exported model does not tell them."""


def read_start(folder: Path) -> Start:
    """The best weights of a run, or those of an exported model.

    Raises:
        RunError: The folder holds neither, or damaged ones.
        ModelCardError: The exported model does not match its card.
    """
    if not (folder / CARD_NAME).is_file():
        run = Run(folder)
        with run.read_best().open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        name = _name(f"run {folder.name}", digest)
        recipe = run.read_recipe()
        at_random = not (recipe.start or recipe.mean_of)
        return Start(
            name,
            run.read_labels(),
            run.read_summary(),
            at_random,
            load_best(run),
            run.read_trained(),
        )
    card = read_card(folder)
    path = verified_file(folder, card, FILES["keras"])
    plain = _plain(load_network(path, "export it again"), len(card.labels))
    last = plain.get_layer(LAST_DENSE)
    last.set_weights([weight * np.float32(card.temperature) for weight in last.get_weights()])
    at_random = not (card.recipe.get("start") or card.recipe.get("mean_of"))
    name = _name(f"{card.name} {card.version}", card.files[path.name].sha256)
    return Start(name, card.labels, card.data, at_random, plain, None)


def check_width(start: Start, width: float) -> None:
    """Raise RunError if `start` has layers of another width than a training is to have."""
    given = width_of(start.plain)
    if given != width:
        raise RunError(
            f"{start.name} has layers of {given:g} times the paper's width, and the recipe says "
            f"{width:g}; train with --width {given:g}."
        )


def begin_from(
    start: Start, network: keras.Model, labels: tuple[str, ...], pixels: NDArray[np.uint8]
) -> None:
    """Set the weights of `network` to those of `start`.

    Where the labels are others, the last layer keeps its own weights.

    Args:
        start: Of the same width.
        network: From `build_alexnet`, at the same side.
        labels: What its outputs mean.
        pixels: See `unfold_normalization`.
    """
    plain = start.plain
    if start.labels != labels:
        plain = _empty_like(plain, len(labels))
        for layer in plain.layers:
            source = network if layer.name == LAST_DENSE else start.plain
            layer.set_weights(source.get_layer(layer.name).get_weights())
    unfold_normalization(plain, network, pixels)


def _name(name: str, digest: str) -> str:
    return f"{name} ({digest[:12]})"


def _plain(served: keras.Model, classes: int) -> keras.Model:
    """The AlexNet that an exported model was made of, but for the rounding of its kernels."""
    plain = _empty_like(served, classes)
    for layer in plain.layers:
        layer.set_weights(_float_weights(served.get_layer(layer.name)))
    return plain


def _empty_like(model: keras.Model, classes: int) -> keras.Model:
    with precision_scope("float32"):
        return build_alexnet(classes, side=model.input_shape[1], width=width_of(model))


def width_of(model: keras.Model) -> float:
    """Of an AlexNet's hidden layers, as a share of the paper's."""
    return float(model.get_layer(FLATTENED_DENSE).units / FLATTENED_UNITS)


def _float_weights(layer: keras.layers.Layer) -> list[NDArray[np.float32]]:
    if getattr(layer, "quantization_mode", None) != "int8":
        weights: list[NDArray[np.float32]] = layer.get_weights()
        return weights
    kernel = ops.cast(layer.kernel, "float32") / layer.kernel_scale
    return [ops.convert_to_numpy(kernel), ops.convert_to_numpy(layer.bias)]
