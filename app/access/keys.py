"""The keys that clients show."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from hmac import compare_digest
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, SecretStr
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode

from app.access.separated import separated

_LEAST_CHARACTERS = 22
"""Those of 128 random bits in base64."""
_KEY = re.compile(r"[!-~]+")


def _keys(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    keys = separated(value)
    if not keys:
        raise _unusable("there is no key in it; unset it if everybody may ask")
    for number, key in enumerate(keys, 1):
        if not _KEY.fullmatch(key):
            raise _unusable(f"key {number} has characters that a header cannot hold")
        if len(key) < _LEAST_CHARACTERS:
            raise _unusable(f"key {number} has less than {_LEAST_CHARACTERS} characters")
    return keys


def _unusable(why: str) -> PydanticCustomError:
    return PydanticCustomError(
        "api_keys", "{why}; 'openssl rand -hex 32' makes one that is good", {"why": why}
    )


ApiKeys: TypeAlias = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_keys)]
"""Keys as a setting, which no log and no error shows."""


class KeyRing:
    """Keys as digests, so that the time of a comparison tells neither a key nor its length."""

    def __init__(self, keys: Iterable[SecretStr]) -> None:
        self._digests = [_digest(key.get_secret_value().encode()) for key in keys]

    def holds(self, key: bytes) -> bool:
        """Return whether this is one of the keys; all of them are compared."""
        shown = _digest(key)
        return sum(compare_digest(shown, each) for each in self._digests) > 0


def _digest(key: bytes) -> bytes:
    return sha256(key).digest()
