"""One lane, as the service sees it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections import deque
from time import monotonic
from typing import NamedTuple

from app.job import Job
from app.lanes.wire import Message, packed, receive_message
from app.lanes.work import FILE, KEPT_FILE, NARROW, PIXELS, WIDE


class Process(NamedTuple):
    """A process that has loaded the model, and the socket through which it is given pictures."""

    number: int
    socket: socket.socket

    def kill(self) -> None:
        """End it, whatever it does. Its number is its own as long as the fork server lives."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.number, signal.SIGKILL)


class Lane:
    """What a process has been given and has not answered, batch by batch."""

    def __init__(
        self, process: Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.process = process
        self._reader = reader
        self._writer = writer
        self._batches: deque[list[Job]] = deque()
        self._growing: list[Job] = []
        self._moved = self._answered = monotonic()

    @classmethod
    async def of(cls, process: Process) -> Lane:
        """Begin to talk with a process. Must be called where an event loop runs."""
        process.socket.setblocking(False)
        return cls(process, *await asyncio.open_unix_connection(sock=process.socket))

    @property
    def pictures(self) -> int:
        """How many it has."""
        return len(self._growing) + sum(map(len, self._batches))

    @property
    def growing(self) -> int:
        """How many of them it has not been told to predict."""
        return len(self._growing)

    @property
    def batches(self) -> int:
        """How many it has been told to predict."""
        return len(self._batches)

    @property
    def predicting(self) -> bool:
        """Whether it has been told to predict, and has not answered."""
        return bool(self._batches)

    @property
    def seconds_since_answer(self) -> float:
        """How long ago it answered last."""
        return monotonic() - self._answered

    @property
    def busy_seconds(self) -> float:
        """For how long it has been at the same batch."""
        return monotonic() - self._moved if self._batches else 0.0

    def give(self, job: Job) -> None:
        """Send it a picture, which it decodes."""
        self._growing.append(job)
        blob = job.data if job.encoded else job.image.pixels.tobytes()
        self._send(packed(_kind(job), [blob]))

    def predict(self, *, wide: bool) -> None:
        """Let it predict what it was given; with `wide`, by its engine that has all cores."""
        if not self._batches:
            self._moved = monotonic()
        self._batches.append(self._growing)
        self._growing = []
        self._send(packed(WIDE if wide else NARROW))

    async def answer(self) -> tuple[list[Job], Message]:
        """Return the first batch that it was told to predict, with its answer.

        The batch is its own until `answered` is called.

        Raises:
            EOFError: It has ended.
            OSError: It has ended.
        """
        message = await receive_message(self._reader)
        return self._batches[0], message

    def answered(self) -> None:
        """Forget the first batch."""
        self._batches.popleft()
        self._moved = self._answered = monotonic()

    def take_all(self) -> tuple[list[Job], list[Job]]:
        """Return what it has not answered, as it will not any more.

        Returns:
            What it had begun with, and what it had not.
        """
        first, *later = [*self._batches, self._growing]
        self._batches.clear()
        self._growing = []
        return first, [job for batch in later for job in batch]

    async def close(self) -> None:
        """Give it nothing more, not even what it has not read: it ends when it next reads."""
        self._writer.transport.abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    def _send(self, parts: list[bytes]) -> None:
        if not self._writer.transport.is_closing():  # else it has ended, which is seen soon
            self._writer.writelines(parts)


def _kind(job: Job) -> str:
    if not job.encoded:
        return PIXELS
    return KEPT_FILE if job.keeps_pixels else FILE
