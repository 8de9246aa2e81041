"""The name of a request, by which its answer, its lines in the log and its trace are found."""

from __future__ import annotations

import re
from contextvars import ContextVar
from secrets import token_hex

from opentelemetry.trace import INVALID_SPAN, format_trace_id, get_current_span
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Request-ID"

_RAW_HEADER = HEADER.lower().encode()
_WELL_FORMED = re.compile(rb"[\w.~:/+=@-]{1,128}")

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request that is being worked on, those of several with commas between them, or ""."""
trace_id: ContextVar[str] = ContextVar("trace_id", default="")
"""Of the request's OpenTelemetry trace, as 32 hex digits, or "" where there is none."""


class IdentifyRequests:
    """ASGI middleware that names every request, and tells the client the name.

    The client's own name is taken if it is well-formed: 1 to 128 letters, digits and `._~:/+=@-`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Name a request, and pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        name = _given_name(scope) or new_name()
        # Never reset: where the request fails, the server logs that once this has returned.
        request_id.set(name)
        span = get_current_span()
        if span is not INVALID_SPAN:
            trace_id.set(format_trace_id(span.get_span_context().trace_id))
            span.set_attribute("request_id", name)
        header = (_RAW_HEADER, name.encode())

        async def identified_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), header]
            await send(message)

        await self._app(scope, receive, identified_send)


def new_name() -> str:
    """Return a name that no other request has: 16 hexadecimal digits."""
    return token_hex(8)


def _given_name(scope: Scope) -> str:
    for header, value in scope["headers"]:
        if header == _RAW_HEADER:
            return value.decode() if _WELL_FORMED.fullmatch(value) else ""
    return ""
