"""Refusing pictures at once, before anything is spent on them."""

from __future__ import annotations

from collections.abc import Collection

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import UnavailableError
from app.problems import problem_response
from app.service import Service


class RefuseWhenFull:
    """ASGI middleware that answers for the app where the service has no room for a picture.

    The body is not read, so that a refusal costs little enough to leave the service as fast as
    before for what it accepts.
    """

    def __init__(self, app: ASGIApp, paths: Collection[str]) -> None:
        """Guard the requests with method POST to `paths`."""
        self._app = app
        self._paths = frozenset(paths)
        self._refusals: dict[str, Response] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in self._paths:
            service: Service | None = scope.get("state", {}).get("service")
            try:
                if service is not None:
                    service.check_room()
            except UnavailableError as error:
                scope["guarded_path"] = scope["path"]  # no route will be found to count it by
                await self._refusal(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, error: UnavailableError) -> Response:
        detail = str(error)
        if detail not in self._refusals:
            self._refusals[detail] = problem_response(error)
        return self._refusals[detail]
