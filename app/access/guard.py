"""Asking every request for a key, but those to a few paths."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from app.access.keys import KeyRing
from app.errors import MissingKeyError, ServiceError, WrongKeyError
from app.problems import error_response

_POLICY_VIOLATION = 1008


class OpenPaths(NamedTuple):
    """What may be asked without a key. All else needs one, whatever routes are added."""

    exact: Collection[str]
    below: tuple[str, ...]
    """Folders, each with a slash at its end."""

    def __contains__(self, path: object) -> bool:
        return path in self.exact or (isinstance(path, str) and path.startswith(self.below))


class RequireKey:
    """ASGI middleware that answers with 401 for the app where a request shows no key.

    The body is not read. A key is shown as `X-API-Key`, or else as `Authorization: Bearer`.
    """

    def __init__(self, app: ASGIApp, keys: KeyRing, open_paths: OpenPaths) -> None:
        self._app = app
        self._keys = keys
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        refusal = None if scope["type"] == "lifespan" else self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(_POLICY_VIOLATION)(scope, receive, send)
        else:
            response = await error_response(refusal, scope)
            await response(scope, receive, send)

    def _refusal(self, scope: Scope) -> ServiceError | None:
        if scope["path"] in self._open_paths:
            return None
        key = _shown_key(dict(scope["headers"]))
        if key is None:
            return MissingKeyError(
                "This needs a key; send it in the header X-API-Key, or as a bearer token."
            )
        if not self._keys.holds(key):
            return WrongKeyError(
                "The key is none of this service's; send another one, or ask its operator for one."
            )
        return None


def _shown_key(headers: dict[bytes, bytes]) -> bytes | None:
    if b"x-api-key" in headers:
        return headers[b"x-api-key"]
    scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else None
