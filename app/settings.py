"""What can be set, from environment variables that begin with ALEXNET_, and from secret files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pydantic_settings
from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.access.keys import ApiKeys
from app.access.origins import Origins
from app.cores import usable_cores
from app.errors import SettingsError
from app.images import MAX_SECONDS
from app.log import LogFormat, LogLevel
from app.pillow import MAX_PIXELS

Device = Literal["auto", "cpu", "gpu"]

_PREFIX = "ALEXNET_"
_SECRETS = Path("/run/secrets")
"""Where Docker and Kubernetes put files that each hold what a variable of that name would."""
_KIB = 2**10
_MIB = 2**20


def _cores_of_a_worker(settings: dict[str, Any]) -> int:
    return max(1, usable_cores() // int(settings.get("workers", 1)))


class Settings(BaseSettings):
    """The service's settings, with defaults that suit the machine."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, hide_input_in_errors=True)

    model: Path = Path("models/dogs-vs-cats")
    """Folder of the model: its card and its files."""
    device: Device = "auto"
    max_upload_bytes: int = Field(default=20 * _MIB, ge=1024, le=1024 * _MIB)
    max_batch_files: int = Field(default=64, ge=1, le=1024)
    """Of one request to `/predict/batch`."""
    max_batch_bytes: int = Field(default=100 * _MIB, ge=1024, le=4096 * _MIB)
    """Of the body of one request to `/predict/batch`."""
    max_form_fields: int = Field(default=64, ge=0, le=1024)
    """Of a form, beside its pictures."""
    max_part_header_bytes: int = Field(default=4096, ge=256, le=64 * _KIB)
    """Of each header of a part of a form."""
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
    api_keys: ApiKeys = ()
    """Any of them lets a client ask; without any, everybody may."""
    open_metrics: bool = False
    """Whether `/metrics` needs no key."""
    cors_origins: Origins = ()
    """Sites whose pages may ask."""
    docs: bool = True
    """Whether there are `/docs` and `/openapi.json`."""
    max_held_bytes: int = Field(default=512 * _MIB, ge=1024, le=65_536 * _MIB)
    """Of all bodies that a worker is reading or answering; one more is refused."""
    max_connections: int = Field(default=512, ge=1, le=65_536)
    """Of a worker; on those beyond, pictures are refused."""
    max_header_bytes: int = Field(default=32 * _KIB, ge=1024, le=1024 * _KIB)
    """Of a request's line and headers."""
    header_seconds: float = Field(default=10, ge=1, le=3600)
    """For a request's line and headers to arrive."""
    transfer_seconds: float = Field(default=30, ge=1, le=3600)
    """That a client may be late in sending a body, or in fetching an answer."""
    answer_seconds: float = Field(default=30, ge=1, le=3600)
    """For the service to answer, the time in which the body arrives aside."""
    keep_alive_seconds: int = Field(default=5, ge=1, le=3600)
    """That a connection is kept between two requests."""
    shutdown_seconds: float = Field(default=20, ge=0, le=3600)
    """After SIGTERM, for requests that were accepted before."""
    threads: int = Field(default_factory=_cores_of_a_worker, ge=1, le=1024)
    """Of one worker: processes that decode and predict, or on a GPU threads that decode."""
    log_format: LogFormat = "console"
    log_level: LogLevel = "info"
    access_log: bool = False
    """Whether every request is logged, whatever the level."""

    @field_validator("max_held_bytes")
    @classmethod
    def _holds_a_request(cls, value: int, info: ValidationInfo) -> int:
        largest = max(info.data.get(name, 0) for name in ("max_upload_bytes", "max_batch_bytes"))
        if value < largest:
            raise ValueError(f"One request may have {largest} bytes")
        return value


def load_settings() -> Settings:
    """Read the settings from the environment and from secret files, of which it comes first.

    Raises:
        SettingsError: A value is malformed or unsafe, or a secret file cannot be read.
    """
    secrets = _SECRETS if _SECRETS.is_dir() else None
    if secrets is not None:
        _check_secrets(secrets)
    try:
        # The argument is pydantic's, which the types leave out.
        return Settings(_secrets_dir=secrets)  # type: ignore[call-arg]  # see above
    except pydantic_settings.SettingsError as error:
        raise SettingsError(f"A setting cannot be read: {error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        variable = _PREFIX + "_".join(str(part) for part in first["loc"]).upper()
        received = "" if "api_keys" in first["loc"] else f" Received: {first['input']!r}"
        raise SettingsError(f"{variable} cannot be used: {first['msg']}.{received}") from error


def _check_secrets(folder: Path) -> None:
    """See that every secret is a file that can be read: pydantic would go on without it."""
    for secret in folder.iterdir():
        if not secret.name.upper().startswith(_PREFIX):
            continue
        if not secret.resolve().is_relative_to(folder.resolve()):
            raise SettingsError(f"{secret} leads out of its folder; put the file itself there.")
        try:
            secret.read_text(encoding="utf-8")
        except OSError as error:
            raise SettingsError(
                f"{secret} cannot be read ({error.strerror}); make it a file that the service's "
                "user may read."
            ) from error
        except UnicodeError as error:
            raise SettingsError(f"{secret} is no text in UTF-8; save it as such.") from error
