"""Errors as the protocol has them, whatever part of the service they come from."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, TypeAlias, cast

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from app.errors import ServiceError, UploadError
from app.problems import ProblemResponse
from app.v2.protocol import ErrorResponse

PREFIX = "/v2"

_Handler: TypeAlias = Callable[[Request, Exception], Awaitable[Response]]

_EXAMPLE = ErrorResponse(error="There is no model 'cats'; ask for dogs-vs-cats.")


class InvalidInferenceError(UploadError):
    """The request is not one that the protocol or the model's metadata allows."""

    title = "Invalid inference request"


class UnknownModelError(ServiceError):
    """The path names a model or a version that is not served."""

    status = 404
    title = "Unknown model"


class _Error(ProblemResponse):
    media_type = "application/json"


def add_error_handlers(app: FastAPI) -> None:
    """Let every handler of the app answer with `{"error": "..."}` below `/v2`.

    The handlers must be there already, and answer with problem documents.
    """
    for error, handler in app.exception_handlers.items():
        app.exception_handlers[error] = _translated(cast("_Handler", handler))


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return OpenAPI responses, by status, for a route that fails with these."""
    return {
        status: {
            "model": ErrorResponse,
            "description": HTTPStatus(status).phrase,
            "content": {"application/json": {"example": _EXAMPLE.model_dump()}},
        }
        for status in statuses
    }


def _translated(handler: _Handler) -> _Handler:
    async def answer(request: Request, error: Exception) -> Response:
        response = await handler(request, error)
        below = f"{request.url.path}/".startswith(f"{PREFIX}/")
        if not below or not isinstance(response, ProblemResponse):
            return response
        body = ErrorResponse(error=json.loads(bytes(response.body))["detail"])
        headers = getattr(error, "headers", None)
        return _Error(body.model_dump(), response.status_code, headers, kind=response.kind)

    return answer
