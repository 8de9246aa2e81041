"""The files of an exported model, of which a command runs one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from app.engines.litert import FILE_NAME

Form = Literal["litert", "keras"]
FILES: Mapping[Form, str] = {"litert": FILE_NAME, "keras": "model.keras"}
