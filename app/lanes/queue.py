"""What waits for a lane."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from app.job import Job, take, take_first, withdraw


class Queue:
    """Pictures in the order in which they came; patient ones wait by themselves.

    Some are held back: they wait like others, but are not taken until they are let go.
    """

    def __init__(self) -> None:
        self._prompt: deque[Job] = deque()
        self._held: deque[Job] = deque()
        self._patient: deque[Job] = deque()
        self._queues = (self._prompt, self._held, self._patient)

    @property
    def prompt(self) -> int:
        """How many may be taken that are not patient."""
        return len(self._prompt)

    @property
    def waiting(self) -> int:
        """The same, with those that are held back."""
        return len(self._prompt) + len(self._held)

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

    def hold(self, jobs: Iterable[Job]) -> None:
        """Hold pictures back that were taken before."""
        self._held.extend(jobs)

    def let_go(self) -> None:
        """Let pictures go first that were held back."""
        self.give_back(self._held)
        self._held.clear()

    def remove(self, job: Job) -> None:
        """Forget a picture, if it waits."""
        withdraw(job, self._queues)

    def take_all(self) -> list[Job]:
        """Take all that wait."""
        return [job for jobs in self._queues for job in take(jobs, len(jobs))]

    def next_prompt(self) -> Job | None:
        """Take the first picture that is not patient."""
        return take_first(self._prompt)

    def take_patient(self, most: int) -> list[Job]:
        """Take the first ones that are."""
        return take(self._patient, most)
