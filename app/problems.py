"""Errors as problem documents (RFC 9457), whatever part of the service they come from."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from app.errors import ServiceError
from app.images import (
    BrokenImageError,
    ImageError,
    ImageTooLargeError,
    ImageTooSlowError,
    UnsupportedImageError,
)
from app.request_id import request_id

MEDIA_TYPE = "application/problem+json"

_SCHEMA = "#/components/schemas/Problem"
"""In the OpenAPI document, where the answer to a batch puts it."""

_IMAGE_PROBLEMS = {
    UnsupportedImageError: (415, "Unsupported image"),
    BrokenImageError: (400, "Broken image"),
    ImageTooLargeError: (413, "Image too large"),
    ImageTooSlowError: (422, "Image too slow"),
}


class Problem(BaseModel):
    """Why a request was not answered."""

    type: str = Field(description="Identifies the kind of problem; it need not be a page.")
    title: str = Field(description="The kind of problem, in words.")
    status: int = Field(ge=400, le=599, description="The HTTP status.")
    detail: str = Field(description="What is wrong with this request, and what to do.")

    @property
    def kind(self) -> str:
        """The title as a word, such as "file-too-large"."""
        return _slug(self.title)


class ProblemResponse(JSONResponse):
    """A problem in JSON; the scope is told its kind, for the middleware that counts."""

    media_type = MEDIA_TYPE

    def __init__(
        self, content: object, status: int, headers: Mapping[str, str] | None, *, kind: str
    ) -> None:
        super().__init__(content, status, headers)
        self.kind = kind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["problem"] = self.kind
        await super().__call__(scope, receive, send)


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error with a problem document."""
    app.add_exception_handler(ServiceError, _service_error)
    app.add_exception_handler(ImageError, _image_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(ClientDisconnect, _client_disconnect)
    app.add_exception_handler(Exception, _unexpected_error)


def documented(*errors: type[ServiceError] | type[ImageError]) -> dict[int | str, dict[str, Any]]:
    """Return OpenAPI responses, by status, for a route that raises these errors."""
    responses: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        status, title = _kind(error)
        meaning = (error.__doc__ or title).splitlines()[0]
        response = responses.setdefault(
            status,
            {
                "description": HTTPStatus(status).phrase,
                "content": {MEDIA_TYPE: {"schema": {"$ref": _SCHEMA}, "examples": {}}},
            },
        )
        response["content"][MEDIA_TYPE]["examples"][title] = {
            "summary": meaning,
            "value": _problem(status, title, meaning).model_dump(),
        }
    return responses


def problem_of(error: ServiceError | ImageError) -> Problem:
    """Return the document that tells of an error."""
    return _problem(*_kind(type(error)), str(error))


async def error_response(error: ServiceError, scope: Scope) -> Response:
    """Return what the app's own handler answers to an error, for middleware outside of it."""
    handler = scope["app"].exception_handlers[ServiceError]
    response: Response = await handler(Request(scope), error)
    return response


def _kind(error: type[ServiceError] | type[ImageError]) -> tuple[int, str]:
    if issubclass(error, ServiceError):
        return error.status, error.title
    return _IMAGE_PROBLEMS[error]


def _slug(title: str) -> str:
    return title.lower().replace(" ", "-")


def _problem(status: int, title: str, detail: str) -> Problem:
    return Problem(type="/problems/" + _slug(title), title=title, status=status, detail=detail)


def _response(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    return ProblemResponse(problem.model_dump(), problem.status, headers, kind=problem.kind)


def _plain_response(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    title = HTTPStatus(status).phrase
    problem = Problem(type="about:blank", title=title, status=status, detail=detail)
    return _response(problem, headers)


async def _service_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)
    return _response(problem_of(error), error.headers)


async def _image_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ImageError)
    return _response(problem_of(error))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    where = "; see /docs for what there is." if request.app.openapi_url else "."
    detail = f"{request.method} {request.url.path}: {error.detail}{where}"
    return _plain_response(error.status_code, detail, error.headers)


async def _validation_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return _plain_response(422, f"The request is invalid at {place}: {first['msg']}.")


async def _client_disconnect(request: Request, _: Exception) -> Response:
    request.scope["problem"] = "client-disconnected"
    return Response(status_code=400)  # nobody is there to read it


async def _unexpected_error(_: Request, __: Exception) -> Response:
    # Starlette raises the error again after this response, and the server logs it.
    return _plain_response(
        500, f"The service failed on this request; its log says why, at {request_id.get()}."
    )
