"""What TensorBoard draws while a network trains."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Mapping
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.summary.writer.record_writer import RecordWriter

from training.files import no_room_told


class ScalarLog:
    """Writes values by step to a file of its own in `folder`.

    TensorBoard's own writer does so from a thread, in which a full disk ends in a traceback.
    """

    def __init__(self, folder: Path) -> None:
        now = time.time()
        self._path = folder / f"events.out.tfevents.{now:.6f}.{os.getpid()}"
        self._append(Event(wall_time=now, file_version="brain.Event:2"))

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Append the values of a step.

        Raises:
            StorageError: There is no room.
        """
        now = time.time()
        self._append(
            *(
                Event(wall_time=now, step=step, summary=scalar_pb(name, value))
                for name, value in values.items()
            )
        )

    def _append(self, *events: Event) -> None:
        records = io.BytesIO()
        writer = RecordWriter(records)
        for event in events:
            writer.write(event.SerializeToString())
        with no_room_told(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.write(records.getvalue())
