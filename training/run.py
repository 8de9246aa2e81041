"""The folder that a training writes to."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from app.card import DataSummary
from training.errors import RunError, brief
from training.files import write_text
from training.lock import alone
from training.recipe import Recipe
from training.split import Split, read_split, read_trained

Environment: TypeAlias = dict[str, str | int]

HISTORY_COLUMNS = (
    "epoch",
    "side",
    "learning_rate",
    "loss",
    "log_loss",
    "accuracy",
    "val_log_loss",
    "val_accuracy",
    "pictures_per_second",  # in training, without validation
    "waiting",  # share of the time of training in which no batch was at hand
    "seconds",  # with validation
)


class Run:
    """Where each file of a training lies, and how the small ones are read and written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.recipe_file = folder / "recipe.json"
        self.data_file = folder / "data.json"
        self.environment_file = folder / "environment.json"
        self.split_file = folder / "split.csv"
        self.history_file = folder / "history.csv"
        self.curves_file = folder / "curves.png"
        self.best_file = folder / "best.keras"
        self.checkpoint_folder = folder / "checkpoint"
        self.logs_folder = folder / "logs"
        self.lock_file = folder / ".lock"

    @property
    def exists(self) -> bool:
        """Whether a training was begun here."""
        return self.recipe_file.is_file()

    def require_new(self, advice: str = "") -> None:
        """Raise RunError if a training was begun here, or what is left of one lies here.

        Args:
            advice: What else to do, such as "do this, or ".
        """
        if self.exists:
            raise RunError(
                f"{self.folder} holds a training already; {advice}name another folder with --run."
            )
        if self.checkpoint_folder.exists() or self.history_file.exists():
            raise RunError(
                f"{self.folder} holds what is left of a training without {self.recipe_file.name}; "
                "name another folder with --run."
            )

    def require_begun(self) -> None:
        """Raise RunError if no training was begun here."""
        if not self.exists:
            raise RunError(
                f"{self.folder} holds no training to go on with; leave out --resume to begin one."
            )

    def alone(self) -> contextlib.AbstractContextManager[None]:
        """Keep other trainings out.

        Raises:
            RunError: One is writing to the folder.
        """
        return alone(self.lock_file, what="training", option="--run")

    def write_recipe(self, recipe: Recipe) -> None:
        """Mark the run as begun."""
        _write_json(self.recipe_file, recipe.as_dict())

    def read_recipe(self) -> Recipe:
        """The recipe as used.

        Raises:
            RunError: There is none, or it is damaged.
        """
        with self._reading(self.recipe_file):
            return Recipe.from_dict(json.loads(self.recipe_file.read_text(encoding="utf-8")))

    def write_data(self, facts: dict[str, Any]) -> None:
        """What was trained on: labels, counts, source, skipped files."""
        _write_json(self.data_file, facts)

    def read_data(self) -> dict[str, Any]:
        """The inverse of `write_data`.

        Raises:
            RunError: There is none, or it is damaged.
        """
        with self._reading(self.data_file):
            facts: dict[str, Any] = json.loads(self.data_file.read_text(encoding="utf-8"))
            return facts

    def read_identity(self) -> list[object]:
        """See `identity`; without a digest where the run is of before digests were taken."""
        facts = self.read_data()
        with self._reading(self.data_file):
            return identity(facts)

    def read_labels(self) -> tuple[str, ...]:
        """The labels in the order of the network's outputs."""
        facts = self.read_data()
        with self._reading(self.data_file):
            return tuple(facts["labels"])

    def read_summary(self) -> DataSummary:
        """What was trained on, as the model card tells it."""
        facts = self.read_data()
        with self._reading(self.data_file):
            known = DataSummary.model_fields.keys() & facts.keys()
            return DataSummary(**{name: facts[name] for name in known})

    def write_environments(self, environments: list[Environment]) -> None:
        """What was computed in, in order; several where a run was gone on with in another."""
        _write_json(self.environment_file, environments)

    def read_environments(self) -> list[Environment]:
        """The inverse of `write_environments`; empty where it was not written down.

        Raises:
            RunError: It is damaged.
        """
        if not self.environment_file.is_file():
            return []
        with self._reading(self.environment_file):
            text = self.environment_file.read_text(encoding="utf-8")
            return [dict(environment) for environment in json.loads(text)]

    def read_split(self) -> Split:
        """Which pictures were trained and validated on.

        Raises:
            RunError: There is no split, or it is damaged.
        """
        with self._reading(self.split_file):
            return read_split(self.split_file)

    def read_trained(self) -> frozenset[tuple[str, str]] | None:
        """File names and labels of what was trained on; None where there is no split.

        Raises:
            RunError: The split is damaged.
        """
        if not self.split_file.is_file():
            return None
        with self._reading(self.split_file):
            return read_trained(self.split_file)

    def read_best(self) -> Path:
        """The file of the best weights.

        Raises:
            RunError: No epoch at full size is finished yet.
        """
        if not self.best_file.is_file():
            self.read_recipe()  # which tells a folder without a training from one under way
            raise RunError(
                f"{self.folder} has no finished epoch at full size yet; "
                "go on with 'python -m training train --resume'."
            )
        return self.best_file

    def write_history(self, rows: list[dict[str, float]]) -> None:
        """Write a CSV with a row an epoch."""
        text = io.StringIO()
        writer = csv.DictWriter(text, HISTORY_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_text(self.history_file, text.getvalue())

    def read_history(self) -> list[dict[str, float]]:
        """A row an epoch, empty before the first is done.

        Raises:
            RunError: It is damaged.
        """
        if not self.history_file.is_file():
            return []
        with self._reading(self.history_file):
            header, *rows = csv.reader(self.history_file.read_text(encoding="utf-8").splitlines())
            if tuple(header) != HISTORY_COLUMNS:
                raise ValueError(f"its columns are {','.join(header)}")
            return [dict(zip(header, map(float, row), strict=True)) for row in rows]

    @contextlib.contextmanager
    def _reading(self, path: Path) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise RunError(
                f"{self.folder} holds no training ({path.name} is missing); "
                "give the folder of a run."
            ) from error
        except (ValueError, TypeError, KeyError, AttributeError, csv.Error) as error:
            raise RunError(f"{path} is damaged ({brief(error)}); train again.") from error


def identity(facts: Mapping[str, Any]) -> list[object]:
    """Of what was trained on: pictures, split and exclusions, in whatever folder they lie."""
    excluded = [PurePosixPath(name).name for name in facts.get("excluded", [])]
    return [facts.get("pictures"), facts.get("split_seed"), excluded]


def _write_json(path: Path, values: Any) -> None:
    write_text(path, json.dumps(values, indent=2) + "\n")
