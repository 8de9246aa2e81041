"""What can be said on the command line."""

from __future__ import annotations

import argparse
import datetime
from dataclasses import fields
from pathlib import Path
from typing import get_args, get_type_hints

from training.data import DEFAULT_CACHE
from training.devices import parse_devices
from training.evaluate import Part
from training.exclusions import DEFAULT_EXCLUSIONS
from training.form import Form
from training.lookup import Place
from training.precision import Precision
from training.recipe import RECIPES, Recipe, stages_text

_ORIGINS = {"start", "mean_of"}  # which the commands find out themselves
_RECIPE_NAMES = tuple(field.name for field in fields(Recipe) if field.name not in _ORIGINS)
_METAVARS = {int: "N", float: "X"}


def parser() -> argparse.ArgumentParser:
    """The parser of `python -m training`."""
    top = argparse.ArgumentParser(
        "python -m training", description="Train AlexNet, look at what it learned, export it."
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_train(commands.add_parser("train", help="train a network"))
    _add_mean(commands.add_parser("mean", help="take the mean of several trainings' weights"))
    _add_samples(commands.add_parser("samples", help="draw the data, and its augmentation"))
    _add_evaluate(commands.add_parser("evaluate", help="measure a network on labelled pictures"))
    _add_predict(commands.add_parser("predict", help="label pictures"))
    _add_score(commands.add_parser("score", help="score millions of pictures, with Ray"))
    _add_table(commands.add_parser("table", help="compare runs in a Markdown table"))
    _add_export(commands.add_parser("export", help="make a run into a model for the service"))
    return top


def chosen_recipe(options: argparse.Namespace) -> Recipe:
    """The named recipe, with what was overridden.

    Raises:
        ValueError: A value is out of its range.
    """
    overrides = {name: getattr(options, name, None) for name in _RECIPE_NAMES}
    return RECIPES[options.recipe].override(overrides)


def parse_stages(text: str) -> tuple[tuple[int, float], ...]:
    """Of "131:5,227:2": sides in pixels and their shares of the epochs."""
    try:
        pairs = [stage.split(":") for stage in text.split(",")]
        return tuple((int(side), float(share)) for side, share in pairs)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"write SIDE:SHARE, separated by commas, such as 131:5,227:2. Received: {text!r}"
        ) from error


def _add_train(parser: argparse.ArgumentParser) -> None:
    _add_data(parser)
    parser.add_argument(
        "--run", type=Path, help="folder to write to (default: runs/ and the recipe's name)"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on after the last epoch that was finished"
    )
    parser.add_argument(
        "--start",
        type=Path,
        metavar="FOLDER",
        help="run or exported model whose weights to begin with; where its labels are others, the "
        "last layer begins anew (default: all layers do)",
    )
    parser.add_argument(
        "--split-seed", type=int, default=1, help="decides what is validated on (default: 1)"
    )
    parser.add_argument(
        "--exclusions",
        type=Path,
        default=DEFAULT_EXCLUSIONS,
        help="CSV of pictures that are not trained on, or an empty file "
        "(default: those of Kaggle's that are mislabelled or show no animal)",
    )
    parser.add_argument(
        "--precision",
        choices=get_args(Precision),
        default="auto",
        help="what to compute in (default: auto, by what the hardware does fastest)",
    )
    parser.add_argument(
        "--pictures",
        choices=get_args(Place),
        default="auto",
        help="where decoded pictures are read from (default: auto, the accelerator's own memory "
        "where there is a GPU, whatever its size; at 227x227 10,000 pictures take 1.5 GB)",
    )
    parser.add_argument(
        "--devices",
        type=parse_devices,
        default=1,
        metavar="N",
        help="GPUs of this machine that share every batch, or auto for all of them, with "
        "KERAS_BACKEND=jax; the batch size is still that of the whole batch, so that no other "
        "learning rate is needed (default: 1)",
    )
    _add_recipe(parser)


def _add_mean(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folders",
        nargs="+",
        type=Path,
        metavar="FOLDER",
        help="runs, and exported models, that began with the same weights",
    )
    parser.add_argument(
        "--run",
        type=Path,
        default=Path("runs/mean"),
        help="folder to write to (default: runs/mean)",
    )


def _add_samples(parser: argparse.ArgumentParser) -> None:
    _add_data(parser)
    _add_output(parser, Path("runs/samples"))
    _add_recipe(parser)


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    _add_data(parser)
    parser.add_argument(
        "--part",
        choices=get_args(Part),
        default="validation",
        help="the pictures held back from the training, or all (default: validation)",
    )
    _add_neither(parser)
    _add_output(parser, Path("runs/evaluation"))


def _add_predict(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    parser.add_argument(
        "inputs", nargs="+", type=Path, metavar="PATH", help="an archive, a folder, or files"
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("runs/predictions.csv"),
        help="CSV to write, a PNG of the first 20 beside it (default: runs/predictions.csv)",
    )
    parser.add_argument("--submission", type=Path, help="CSV to write as Kaggle scores it")


def _add_score(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    parser.add_argument(
        "source",
        type=Path,
        metavar="PATH",
        help="a folder of pictures, of Parquet or of tar shards, or a zip archive",
    )
    _add_output(parser, Path("runs/scores"))


def _add_table(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "runs", nargs="+", type=Path, metavar="RUN", help="folders of runs; others are left out"
    )
    parser.add_argument(
        "--against",
        choices=RECIPES,
        help="recipe to tell the differences from (default: the first run's)",
    )


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", type=Path, default=Path("runs/best"), help="(default: runs/best)")
    _add_data(parser)
    _add_neither(parser)
    parser.add_argument("--name", default="dogs-vs-cats", help="(default: dogs-vs-cats)")
    parser.add_argument(
        "--version",
        default=datetime.datetime.now(datetime.UTC).strftime("%Y.%m.%d"),
        help="of the model (default: today's date)",
    )
    parser.add_argument(
        "--models",
        type=Path,
        default=Path("models"),
        help="where its folder goes (default: models)",
    )


def _add_neither(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--neither",
        type=Path,
        help="an archive or a folder of photographs that show none of the classes, to tell the "
        "data's from, beside pictures that are drawn",
    )


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="Kaggle's dogs-vs-cats.zip or train.zip, a folder of label.number.jpg files, "
        "or a folder with one sub-folder a class",
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=DEFAULT_CACHE,
        help=f"folder for decoded pictures (default: {DEFAULT_CACHE})",
    )


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        type=Path,
        default=Path("models/dogs-vs-cats"),
        help="folder of an exported model or of a run (default: models/dogs-vs-cats)",
    )
    parser.add_argument(
        "--form",
        choices=get_args(Form),
        default="litert",
        help="which file of an exported model (default: litert)",
    )


def _add_output(parser: argparse.ArgumentParser, default: Path) -> None:
    parser.add_argument(
        "--output", type=Path, default=default, help=f"folder to write to (default: {default})"
    )


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--recipe", choices=RECIPES, default="best", help="hyperparameters (default: best)"
    )
    group = parser.add_argument_group("the recipe's values, to override one")
    hints = get_type_hints(Recipe, include_extras=True)
    for name in _RECIPE_NAMES:
        kind, meaning = get_args(hints[name])
        value = getattr(RECIPES["best"], name)
        shown = stages_text(value) if name == "stages" else value
        option, text = "--" + name.replace("_", "-"), f"{meaning} (best: {shown})"
        if name == "stages":
            group.add_argument(option, type=parse_stages, metavar="SIDE:SHARE,...", help=text)
        elif kind is bool:
            group.add_argument(option, action=argparse.BooleanOptionalAction, help=text)
        elif kind in _METAVARS:
            group.add_argument(option, type=kind, metavar=_METAVARS[kind], help=text)
        else:
            group.add_argument(option, choices=get_args(kind), help=text)
