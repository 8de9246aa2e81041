"""What the OpenAPI document says of the service as a whole."""

from __future__ import annotations

from typing import Any

from app import __version__

DESCRIPTION: dict[str, Any] = {
    "title": "AlexNet",
    "version": __version__,
    "description": "Upload a picture, and get what it shows. Errors are problem documents "
    "(RFC 9457), with a sentence on what to do.",
    "contact": {"name": "The project's maintainers"},
    "license_info": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
    "servers": [{"url": "/", "description": "Where this document comes from."}],
    "openapi_tags": [
        {"name": "predictions", "description": "What pictures show."},
        {"name": "model", "description": "What predicts it."},
        {"name": "health", "description": "Whether the service can, and what it does."},
        {"name": "Open Inference Protocol", "description": "The same as KServe has it."},
    ],
}
"""For FastAPI to be made with."""
