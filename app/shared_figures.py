"""Figures that several processes add up in a folder, so that each can tell of all."""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client import CollectorRegistry, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder; prometheus_client reads it when it is imported."""


def share_figures(place: int) -> None:
    """Add up figures with other processes, and with those that had this one's place before it.

    To be called before there are any. Else each process that is replaced would leave files.
    """
    values.ValueClass = values.MultiProcessValue(lambda: place)  # type: ignore[no-untyped-call]  # ships no types


def forget_process(place: int) -> None:
    """Drop what a process said of itself that has ended; what it counted stays."""
    if folder := os.environ.get(FOLDER_VARIABLE):
        mark_process_dead(place, folder)  # type: ignore[no-untyped-call]  # likewise


def gathered(registry: CollectorRegistry) -> CollectorRegistry:
    """Return the figures of all processes, if there are several, in place of this one's."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder is None:
        return registry
    everything = CollectorRegistry()
    MultiProcessCollector(everything, folder)  # type: ignore[no-untyped-call]  # likewise
    return everything


def extremes() -> dict[str, float] | None:
    """Return the greatest or the least of what processes say of themselves, if there are several.

    Files of counters, which are much larger, are not read.
    """
    if FOLDER_VARIABLE not in os.environ:
        return None
    folder = Path(os.environ[FOLDER_VARIABLE])
    files = [str(path) for mode in ("max", "min") for path in folder.glob(f"gauge_live{mode}_*.db")]
    merged = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]  # likewise
    return {sample.name: sample.value for metric in merged for sample in metric.samples}
