"""Pictures that wait for an engine."""

from __future__ import annotations

from collections import deque

from app.job import Job, take, take_first, withdraw
from app.room import patient_share


class Pending:
    """Pictures in the order in which they came, decoded or not. Used under a lock.

    Patient ones came decoded. They take what the others leave of the engines, and a small share of
    every batch.
    """

    def __init__(self, max_batch: int) -> None:
        self._max_batch = max_batch
        self._most_patient = patient_share(max_batch)
        self._encoded: deque[Job] = deque()
        self._decoded: deque[Job] = deque()
        self._patient: deque[Job] = deque()
        self._queues = (self._encoded, self._decoded, self._patient)
        self._decoding = 0

    def __bool__(self) -> bool:
        """Whether there is anything left to take."""
        return any(self._queues)

    @property
    def prompt(self) -> int:
        """How many wait that are not patient, those that are being decoded among them."""
        return len(self._encoded) + self._decoding + len(self._decoded)

    @property
    def patient(self) -> int:
        """How many wait that are."""
        return len(self._patient)

    def append(self, job: Job, *, patient: bool = False) -> None:
        """Let a picture wait."""
        if patient:
            self._patient.append(job)
        else:
            (self._encoded if job.encoded else self._decoded).append(job)

    def remove(self, job: Job) -> None:
        """Forget a picture, if it waits."""
        withdraw(job, self._queues)

    def take_all(self) -> list[Job]:
        """Take all that wait, but for those that are being decoded."""
        waiting = [job for queue in self._queues for job in queue]
        for queue in self._queues:
            queue.clear()
        return waiting

    def next_encoded(self) -> Job | None:
        """Take the first picture that is to be decoded; `decoded` says that it has been."""
        job = take_first(self._encoded)
        self._decoding += job is not None
        return job

    def decoded(self, job: Job | None) -> None:
        """Let a picture wait that has been decoded, or none that could not be."""
        self._decoding -= 1
        if job is not None:
            self._decoded.append(job)

    def next_batch(self, idle: int, fit: int) -> list[Job]:
        """Take what one of the idle engines should be given.

        Args:
            idle: How many are. They divide what waits.
            fit: How many there are that are not at fault.
        """
        patient = min(self.patient, self._most_patient)
        share = min(self._max_batch - patient, -(-self.prompt // idle))
        if batch := take(self._decoded, share):
            return batch + take(self._patient, patient)
        if not self._encoded and idle == fit:
            # Whoever comes next finds another engine free, if there is one.
            return take(self._patient, self._max_batch)
        return []
