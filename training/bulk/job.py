"""The folder that scores are written to."""

from __future__ import annotations

import json
import shutil
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from training.errors import RunError, brief
from training.files import write_text
from training.lock import alone


class Job:
    """Where each file of a job lies.

    `listing_file` has the parts, `parts_folder` a file for each that is scored, and
    `scores_file` all scores, once all parts are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.facts_file = folder / "job.json"
        self.listing_file = folder / "listing.parquet"
        self.parts_folder = folder / "parts"
        self.attempts_folder = folder / "attempts"
        self.scores_file = folder / "scores.csv"
        self.lock_file = folder / ".lock"

    def part_file(self, number: int) -> Path:
        """Of the part at `number` of the listing."""
        return self.parts_folder / f"part-{number:07}.parquet"

    def note_attempt(self, number: int) -> int:
        """Note that the part at `number` is begun with, and say how often it was before."""
        self.attempts_folder.mkdir(exist_ok=True)
        with (self.attempts_folder / str(number)).open("ab") as file:
            before = file.tell()
            file.write(b"x")
        return before

    def forget_attempt(self, number: int) -> None:
        """Forget those at the part at `number`, which is done."""
        (self.attempts_folder / str(number)).unlink(missing_ok=True)

    def forget_attempts(self) -> None:
        """Forget those of an earlier command, at whichever part."""
        shutil.rmtree(self.attempts_folder, ignore_errors=True)

    def alone(self) -> AbstractContextManager[None]:
        """Keep other commands out.

        Raises:
            RunError: One is writing to the folder.
        """
        return alone(self.lock_file, what="command", option="--output")

    def write_facts(self, facts: dict[str, Any]) -> None:
        """Mark the job as begun, with what must be the same whenever it is gone on with."""
        write_text(self.facts_file, json.dumps(facts, indent=2) + "\n")

    def read_facts(self) -> dict[str, Any] | None:
        """The inverse of `write_facts`; None where no job was begun.

        Raises:
            RunError: They are damaged.
        """
        try:
            facts: dict[str, Any] = json.loads(self.facts_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise RunError(
                f"{self.facts_file} is damaged ({brief(error)}); name another folder with --output."
            ) from error
        return facts
