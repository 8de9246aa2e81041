"""The page at `/`, on which pictures are tried: the files of the folder `page`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

FOLDER = Path(__file__).with_name("page")

_HEADERS = {
    # Kept by browsers, but asked for again: a new version of the service shows at once.
    "Cache-Control": "no-cache",
    # The page draws pictures that it was given (blob:), and has no script or style in its markup.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class _PageFiles(StaticFiles):
    def file_response(self, *args: Any, **options: Any) -> Response:
        response = super().file_response(*args, **options)
        response.headers.update(_HEADERS)
        return response


def add_page(app: FastAPI) -> None:
    """Answer `/` with the page, and the paths below `/page` with what it loads."""
    files = _PageFiles(directory=FOLDER)

    async def index(request: Request) -> Response:
        return await files.get_response("index.html", request.scope)

    app.add_route("/", index, methods=["GET"], include_in_schema=False)
    app.mount("/page", files)
