"""The page at `/`, on which pictures are tried: the files of the folder `page`."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.browser import BrowserFiles

FOLDER = Path(__file__).with_name("page")

DOCS_LINK = '<a href="docs">API documentation</a>'

# It draws pictures that it was given (blob:), and makes no markup of texts.
_POLICY = (
    "script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob:; "
    "require-trusted-types-for 'script'"
)


def add_page(app: FastAPI, *, links_docs: bool) -> None:
    """Answer `/` with the page, and the paths below `/page` with what it loads."""
    files = BrowserFiles(_POLICY, directory=FOLDER)

    async def index(request: Request) -> Response:
        return await files.get_response("index.html", request.scope)

    async def index_without_docs(_: Request) -> Response:
        return HTMLResponse(markup.replace(DOCS_LINK, ""), headers=files.headers)

    markup = (FOLDER / "index.html").read_text(encoding="utf-8")
    endpoint = index if links_docs else index_without_docs
    app.add_route("/", endpoint, methods=["GET"], include_in_schema=False)
    app.mount("/page", files)
