"""Files for browsers: the pages, and what they load."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send


class BrowserFiles(StaticFiles):
    """Files that browsers keep, but ask for again: a new version of the service shows at once."""

    def __init__(self, policy: str, **options: Any) -> None:
        """`policy` is what a page among the files may do, beside what no page may."""
        super().__init__(**options)
        self.headers = {
            "Cache-Control": "no-cache",
            "Content-Security-Policy": f"default-src 'none'; {policy}; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send whole files: they are small, and a malformed range would be told in plain text."""
        whole = [header for header in scope["headers"] if header[0] != b"range"]
        await super().__call__({**scope, "headers": whole}, receive, send)

    def file_response(self, *args: Any, **options: Any) -> Response:
        response = super().file_response(*args, **options)
        response.headers.update(self.headers)
        return response
