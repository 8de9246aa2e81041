"""The requests that come and go."""

from __future__ import annotations

from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.metrics import Metrics


class CountRequests:
    """ASGI middleware that counts every request, once it is answered."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        status = 0

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        finally:
            seconds = perf_counter() - began
            problem = scope.get("problem", "") if status else "unanswered"
            self._metrics.count_request(_route(scope), status or 500, problem, seconds)


def _route(scope: Scope) -> str:
    """Return the path as it was declared: what clients make up must not fill the memory."""
    if guarded := scope.get("guarded_path"):
        return str(guarded)
    if "endpoint" not in scope:
        return "other"
    if "app_root_path" in scope:  # below it are files
        return str(scope["root_path"])
    # Routes of nested routers know but the end of their path.
    names = {str(value): f"{{{name}}}" for name, value in scope["path_params"].items()}
    return "/".join(names.get(segment, segment) for segment in scope["path"].split("/"))
