"""Which service answers a request, and that it stays until it has."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import NotReadyError
from app.problems import error_response
from app.service import Service

_TOO_LATE = NotReadyError("The service shut down before it could answer; send it again.")


class BindService:
    """ASGI middleware that gives each request the service of the moment that it came.

    A service that is to end, or was replaced, knows by that when nobody needs it any more. While it
    drains, answers end their connections, and a request that is cancelled is refused.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with the service as `request.state.service`."""
        service: Service | None = getattr(scope["app"].state, "service", None)
        if scope["type"] != "http" or service is None:
            await self._app(scope, receive, send)
            return
        accepted = not service.draining

        def is_draining() -> bool:
            """Also where another one has taken its place since."""
            return service.draining or bool(scope["app"].state.service.draining)

        # The service knows no cookies, and Python before 3.11.10 and 3.12.6 takes seconds to parse
        # some (CVE-2024-7592), which FastAPI would do for every path.
        scope["headers"] = [header for header in scope["headers"] if header[0] != b"cookie"]
        # To end a connection whose upload is refused unread would reset it, and lose the refusal.
        may_close = accepted or scope["method"] in {"GET", "HEAD"}
        started = False

        async def watched_send(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                if may_close and is_draining():
                    message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        scope.setdefault("state", {})["service"] = service
        with service.held() if accepted else nullcontext():
            try:
                await self._app(scope, receive, watched_send)
            except asyncio.CancelledError:
                if started or not is_draining():
                    raise
                response = await error_response(_TOO_LATE, scope)
                await response(scope, receive, watched_send)
