"""What can be set, from environment variables that begin with ALEXNET_."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.cores import usable_cores
from app.errors import SettingsError
from app.images import MAX_SECONDS
from app.pillow import MAX_PIXELS

Device = Literal["auto", "cpu", "gpu"]

_PREFIX = "ALEXNET_"
_MIB = 2**20


def _cores_of_a_worker(settings: dict[str, Any]) -> int:
    return max(1, usable_cores() // int(settings.get("workers", 1)))


class Settings(BaseSettings):
    """The service's settings, with defaults that suit the machine."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True)

    model: Path = Path("models/dogs-vs-cats")
    """Folder of the model: its card and its files."""
    device: Device = "auto"
    max_upload_bytes: int = Field(default=20 * _MIB, ge=1024, le=1024 * _MIB)
    max_batch_files: int = Field(default=64, ge=1, le=1024)
    """Of one request to `/predict/batch`."""
    max_batch_bytes: int = Field(default=100 * _MIB, ge=1024, le=4096 * _MIB)
    """Of the body of one request to `/predict/batch`."""
    max_pixels: int = Field(default=MAX_PIXELS, ge=1, le=MAX_PIXELS)
    """Of a picture as its header announces it: each takes 4 bytes while decoded, 7 in HEIC."""
    max_decode_seconds: float = Field(default=MAX_SECONDS, gt=0, le=60)
    """Of one picture, in a thread or in a process that is ended then."""
    workers: int = Field(default=1, ge=1, le=256)
    """Processes that each serve with a copy of the model."""
    max_batch: int | None = Field(default=None, ge=1, le=1024)
    """Most pictures that an engine is given at once; None leaves that to the engine."""
    max_queue: int = Field(default=256, ge=1, le=65_536)
    """Most pictures that wait for an engine."""
    threads: int = Field(default_factory=_cores_of_a_worker, ge=1, le=1024)
    """Of one worker: those that decode pictures, and those of each engine on the CPU."""


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        SettingsError: A value is malformed or unsafe.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        variable = _PREFIX + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(
            f"{variable} cannot be used: {first['msg']}. Received: {first['input']!r}"
        ) from error
