"""The other sites whose pages may ask the service."""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode

from app.access.separated import separated

_ORIGIN = re.compile(r"https?://(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?")


def _origins(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    origins = separated(value)
    for origin in origins:
        # "*" would open a service that only its own network reaches to every page that somebody
        # there looks at, and "null" is the origin of any page that wants it to be.
        if not _ORIGIN.fullmatch(origin):
            raise PydanticCustomError(
                "cors_origins",
                "{origin} is no origin; name every site as browsers do, such as "
                "https://example.org or http://localhost:3000, without a path or a wildcard",
                {"origin": repr(origin)},
            )
    return origins


Origins: TypeAlias = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_origins)]
"""Origins as a setting."""
