"""What pages of other sites may ask, as their browsers want to know it before."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.errors import PreflightError
from app.problems import error_response


class AdmitSites(CORSMiddleware):
    """Starlette's middleware for CORS, whose refusals are like all others of the app."""

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code < PreflightError.status:
            return response
        return _Refusal(bytes(response.body).decode(), response.headers)


class _Refusal(Response):
    """The app's answer to a refused preflight.

    Args:
        reason: What is refused, in Starlette's words.
        headers: What browsers are told of who may ask.
    """

    def __init__(self, reason: str, headers: Headers) -> None:
        super().__init__()
        self._reason = reason
        self._told = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = PreflightError(
            f"{self._reason}: a page of another site may not ask like this; ask the service's "
            "operator to admit the site, and send only methods and headers that this answer allows."
        )
        response = await error_response(refusal, scope)
        for name, value in self._told.items():
            response.headers.setdefault(name, value)  # but for length and type, which are its own
        await response(scope, receive, send)
