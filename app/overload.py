"""Refusing pictures at once, before anything is spent on them."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import CrowdedError, OverloadedError, ServiceError, UnavailableError
from app.problems import error_response
from app.service import Service

CROWDED = "crowded"
"""The ASGI extension by which a server says that it has as many connections as it may."""


HOLD = "app.overload.hold"
"""The key of a guarded request's scope by which it is told what else is kept for it."""


def hold(scope: Scope, size: int) -> None:
    """Count bytes that a guarded request keeps beside those that it received, or less of these.

    Raises:
        OverloadedError: All requests together keep too many.
    """
    scope[HOLD](size)


class RefuseWhenFull:
    """ASGI middleware that answers for the app where the service has no room for a picture.

    The body is not read, so that a refusal costs little enough to leave the service as fast as
    before for what it accepts. Of those that are read, the bytes are counted until they are
    answered, and the one that would exceed the memory for them is refused with what it has sent.
    """

    def __init__(self, app: ASGIApp, *, paths: Iterable[str], max_held_bytes: int) -> None:
        """Guard the requests with method POST to `paths`, in which names may stand in braces."""
        self._app = app
        self._patterns = [(path, compile_path(path)[0]) for path in paths]
        self._max_held_bytes = max_held_bytes
        self._held_bytes = 0
        self._refusals: dict[tuple[str, str], Response] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        path = self._guarded_path(scope)
        if path is None:
            await self._app(scope, receive, send)
            return
        try:
            self._check_room(scope)
        except UnavailableError as error:
            scope["guarded_path"] = path  # no route will be found to count it by
            refusal = await self._refusal(path, error, scope)
            await refusal(scope, receive, send)
            return
        held = 0

        def count(size: int) -> None:
            nonlocal held
            held += size
            self._held_bytes += size
            if self._held_bytes > self._max_held_bytes:
                raise OverloadedError("Too much is being sent; try again in a moment.")

        async def counted_receive() -> Message:
            message = await receive()
            count(len(message.get("body", b"")))
            return message

        scope[HOLD] = count
        try:
            await self._app(scope, counted_receive, send)
        finally:
            self._held_bytes -= held

    def _guarded_path(self, scope: Scope) -> str | None:
        """Return the path as it was declared, if it is guarded."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return None
        for path, pattern in self._patterns:
            if pattern.match(scope["path"]):
                return path
        return None

    def _check_room(self, scope: Scope) -> None:
        if CROWDED in (scope.get("extensions") or {}):
            raise CrowdedError("Too many connections are open; try again in a moment.")
        if self._held_bytes >= self._max_held_bytes:
            raise OverloadedError("Too much is being sent; try again in a moment.")
        service: Service | None = scope.get("state", {}).get("service")
        if service is not None:
            service.check_room()

    async def _refusal(self, path: str, error: ServiceError, scope: Scope) -> Response:
        key = (path, str(error))
        if key not in self._refusals:
            self._refusals[key] = await error_response(error, scope)
        return self._refusals[key]
