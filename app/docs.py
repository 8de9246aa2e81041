"""Swagger UI at `/docs`: the files of the folder `docs`, and those of fastapi-offline."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from app.browser import BrowserFiles

# FastAPI's own page loads Swagger UI from elsewhere, so that it stays blank without the internet,
# and has a script in its markup; Swagger UI draws icons that are in its style sheet (data:).
_FOLDER = Path(__file__).with_name("docs")
_POLICY = "script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:"


def add_docs(app: FastAPI) -> None:
    """Answer `/docs` with what shows the OpenAPI document, and lets it be tried."""
    files = BrowserFiles(_POLICY, directory=_FOLDER, packages=[("fastapi_offline", "static")])

    async def index(request: Request) -> Response:
        return await files.get_response("index.html", request.scope)

    app.add_route("/docs", index, methods=["GET"], include_in_schema=False)
    app.mount("/docs", files)
