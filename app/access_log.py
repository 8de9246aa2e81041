"""A line in the log for every request."""

from __future__ import annotations

import logging
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)


class LogRequests:
    """ASGI middleware that logs every request, without its query, once it is answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and log it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        status = size = 0

        async def watched_send(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            size += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        finally:
            _log(scope, status, size, (perf_counter() - began) * 1e3)


def _log(scope: Scope, status: int, size: int, milliseconds: float) -> None:
    """Log a request; status 0 is one that was cut off before it had an answer."""
    host, _ = scope.get("client") or ("", 0)
    fields = {
        "client": host,
        "method": scope["method"],
        "path": scope.get("raw_path", scope["path"].encode()).decode("latin-1"),
        "status": status,
        "bytes": size,
        "ms": round(milliseconds, 1),
    }
    logger.info(
        "%(client)s %(method)s %(path)s %(status)d, %(bytes)d bytes in %(ms).1f ms",
        fields,
        extra={"fields": fields},
    )
