"""What every measurement is given."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from benchmarks.load import Bodies, forms, raw_files
from benchmarks.pictures import PHONE, SMALL, photographs


class Inputs(NamedTuple):
    """Pictures, the model, the machine's cores, and how long to measure."""

    model: Path
    """The model's folder."""
    folder: Path
    """For files that are thrown away."""
    cores: int
    seconds: float
    """Of each measurement."""
    rounds: int
    small: list[bytes]
    """JPEGs of 500x375."""
    phone: list[bytes]
    """JPEGs of 4000x3000."""
    forms: Bodies
    """The small ones, as multipart forms."""
    files: Bodies
    """The small ones, as they are."""
    phone_forms: Bodies

    @property
    def litert(self) -> Path:
        """The model's LiteRT file."""
        return self.model / "model.tflite"

    @property
    def log(self) -> Path:
        """What the servers print."""
        return self.folder / "servers.log"


def make_inputs(model: Path, folder: Path, cores: int, seconds: float, rounds: int) -> Inputs:
    """Make the pictures, and write them to `folder` as request bodies."""
    small, phone = list(photographs(SMALL)), list(photographs(PHONE))
    return Inputs(
        model=model,
        folder=folder,
        cores=cores,
        seconds=seconds,
        rounds=rounds,
        small=small,
        phone=phone,
        forms=forms(folder / "forms", small),
        files=raw_files(folder / "files", small),
        phone_forms=forms(folder / "phone", phone),
    )
