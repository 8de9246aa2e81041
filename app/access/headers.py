"""The headers that tell browsers how little to do with an answer."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_DEFAULTS = {
    # An answer is no page: should a browser take it for one, that one can do nothing.
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cache-control": b"no-store",
}
_ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"x-permitted-cross-domain-policies", b"none"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), display-capture=(), geolocation=(), microphone=()"),
]


SECURE_HEADERS = {name.decode(): value.decode() for name, value in [*_ALWAYS, *_DEFAULTS.items()]}
"""Of an answer that has none of its own."""


class SecureHeaders:
    """ASGI middleware that adds to every answer what OWASP recommends for it.

    An answer may have a Content-Security-Policy and a Cache-Control of its own.
    Strict-Transport-Security is for whoever terminates TLS: it holds for all of a host.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add to the headers of its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def secured_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = list(message.get("headers", ()))
                names = {name for name, _ in own}
                defaults = (each for each in _DEFAULTS.items() if each[0] not in names)
                message["headers"] = [*own, *_ALWAYS, *defaults]
            await send(message)

        await self._app(scope, receive, secured_send)
