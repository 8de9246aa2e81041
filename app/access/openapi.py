"""What OpenAPI says of keys."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from app.access.guard import OpenPaths
from app.errors import MissingKeyError, WrongKeyError
from app.problems import documented
from app.v2.errors import PREFIX

_SCHEMES: dict[str, Any] = {
    "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "Bearer": {"type": "http", "scheme": "bearer"},
}
_UNAUTHORIZED = str(HTTPStatus.UNAUTHORIZED.value)
_V2_ERROR = {
    "description": HTTPStatus.UNAUTHORIZED.phrase,
    "content": {
        "application/json": {
            "schema": {"$ref": "#/components/schemas/ErrorResponse"},
            "example": {"error": (MissingKeyError.__doc__ or "").splitlines()[0]},
        }
    },
}


def declare_keys(app: FastAPI, open_paths: OpenPaths) -> None:
    """Let the app's document ask for a key, but for operations on these paths."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        document["security"] = [{name: []} for name in _SCHEMES]
        document["components"]["securitySchemes"] = _SCHEMES
        for path, operation in _operations(document):
            if path in open_paths:
                operation["security"] = []
            else:
                operation["responses"][_UNAUTHORIZED] = _refusal(path)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's manual has it


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for operation in item.values():
            yield path, operation


def _refusal(path: str) -> dict[str, Any]:
    if f"{path}/".startswith(f"{PREFIX}/"):
        return _V2_ERROR
    return documented(MissingKeyError, WrongKeyError)[HTTPStatus.UNAUTHORIZED]
