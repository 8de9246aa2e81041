"""The command line: `python -m training COMMAND`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from training.backend import end_without_keras
from training.interrupt import end_at_interrupt, interrupted, raise_at_interrupt

# Before TensorFlow is imported, which reads it once: no notes on the CPU's instruction set.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

if __name__ == "__main__":
    end_at_interrupt()  # in one of the imports, which take seconds, it would be a traceback
    end_without_keras()

from app.errors import StartupError
from training.bulk.cluster import require_ray
from training.comparison import comparison
from training.errors import RunError, TrainingError
from training.evaluate import evaluate
from training.export import export
from training.findings import table
from training.mean import mean
from training.options import chosen_recipe, parser
from training.predict import predict
from training.predictor import load_predictor
from training.recipe import RECIPES
from training.run import Run
from training.samples import samples
from training.train import train


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; what the user can mend ends it with a sentence and exit code 1."""
    options = parser().parse_args(arguments)
    try:
        _COMMANDS[options.command](options)
    except (TrainingError, StartupError, ValueError, OSError) as error:
        sys.exit(f"python -m training {options.command}: {error}")
    except KeyboardInterrupt:
        interrupted(options.command)


def _train(options: argparse.Namespace) -> None:
    run = Run(options.run or Path("runs") / options.recipe)
    train(
        run,
        options.data,
        chosen_recipe(options),
        split_seed=options.split_seed,
        exclusions=options.exclusions,
        cache=options.cache,
        resume=options.resume,
        precision=options.precision,
        place=options.pictures,
        devices=options.devices,
        start=options.start,
    )
    print(f"The best weights are in {run.best_file}, the curves in {run.curves_file}.")


def _mean(options: argparse.Namespace) -> None:
    run = Run(options.run)
    mean(run, options.folders)
    print(f"The mean of {len(options.folders)} trainings is in {run.best_file}.")


def _samples(options: argparse.Namespace) -> None:
    samples(options.data, chosen_recipe(options), options.output, cache=options.cache)
    print(f"See samples.png and augmented.png in {options.output}.")


def _evaluate(options: argparse.Namespace) -> None:
    predictor = load_predictor(options.model, options.form)
    findings = evaluate(
        predictor,
        options.data,
        options.output,
        part=options.part,
        cache=options.cache,
        photographs=options.neither,
    )
    print(f"{predictor.name}\n\n{table(findings)}\n")
    print(f"See evaluation.png and worst.png in {options.output}.")


def _predict(options: argparse.Namespace) -> None:
    predictor = load_predictor(options.model, options.form)
    result = predict(
        predictor, options.inputs, output=options.output, submission=options.submission
    )
    for skipped in result.skipped:
        print(f"  skipped {skipped.name}: {skipped.reason}")
    print(
        f"{len(result.answers)} pictures labelled in {options.output}, "
        f"the first of them in {options.output.with_suffix('.png')}."
    )


def _score(options: argparse.Namespace) -> None:
    require_ray()
    from training.bulk.score import score

    totals = score(options.source, options.model, options.output, options.form)
    without = f", {totals.errors} of them without a score" if totals.errors else ""
    print(f"{totals.pictures} pictures{without}: see scores.csv and parts/ in {options.output}.")


def _table(options: argparse.Namespace) -> None:
    runs = [run for run in map(Run, options.runs) if run.exists]
    left_out = set(options.runs) - {run.folder for run in runs}
    for folder in sorted(left_out):
        print(f"{folder} holds no training, and is left out.", file=sys.stderr)
    if not runs:
        raise RunError("None of the folders holds a training; give those of runs.")
    print(comparison(runs, RECIPES.get(options.against)))


def _export(options: argparse.Namespace) -> None:
    folder = export(
        Run(options.run),
        options.data,
        options.models,
        name=options.name,
        version=options.version,
        cache=options.cache,
        photographs=options.neither,
    )
    print(f"The model is in {folder}; serve it with ALEXNET_MODEL={folder} make serve")


_COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "train": _train,
    "mean": _mean,
    "samples": _samples,
    "evaluate": _evaluate,
    "predict": _predict,
    "score": _score,
    "table": _table,
    "export": _export,
}

if __name__ == "__main__":
    raise_at_interrupt()
    main()
