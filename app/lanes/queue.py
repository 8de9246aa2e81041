"""What waits for a lane."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterable

from app.job import Job, take


class Queue:
    """Pictures in the order in which they came; patient ones wait by themselves."""

    def __init__(self) -> None:
        self._prompt: deque[Job] = deque()
        self._patient: deque[Job] = deque()

    @property
    def prompt(self) -> int:
        """How many wait that are not patient."""
        return len(self._prompt)

    @property
    def patient(self) -> int:
        """How many wait that are."""
        return len(self._patient)

    def append(self, job: Job, *, patient: bool) -> None:
        """Let a picture wait."""
        (self._patient if patient else self._prompt).append(job)

    def give_back(self, jobs: Iterable[Job]) -> None:
        """Let pictures go first that were taken before."""
        self._prompt.extendleft(reversed(list(jobs)))

    def remove(self, job: Job) -> None:
        """Forget a picture, if it waits."""
        for jobs in (self._prompt, self._patient):
            with contextlib.suppress(ValueError):
                jobs.remove(job)

    def take_all(self) -> list[Job]:
        """Take all that wait."""
        return [*take(self._prompt, self.prompt), *take(self._patient, self.patient)]

    def next_prompt(self) -> Job | None:
        """Take the first picture that is not patient."""
        return next(iter(take(self._prompt, 1)), None)

    def take_patient(self, most: int) -> list[Job]:
        """Take the first ones that are."""
        return take(self._patient, most)
