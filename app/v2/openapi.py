"""What OpenAPI says of the bodies of inference requests and their responses."""

from __future__ import annotations

from typing import Any

from app.v2.metadata import IMAGE, LABELS
from app.v2.protocol import InferenceRequest

_EXAMPLES: dict[str, Any] = {
    "all outputs": {
        "summary": "A file, in base64",
        "value": {
            "inputs": [
                {"name": IMAGE, "shape": [1], "datatype": "BYTES", "data": ["/9j/4AAQSkZJRg..."]}
            ]
        },
    },
    "one output": {
        "summary": "Two files, of which the labels alone are wanted",
        "value": {
            "id": "42",
            "inputs": [
                {
                    "name": IMAGE,
                    "shape": [2],
                    "datatype": "BYTES",
                    "data": ["/9j/4AAQSkZJRg...", "iVBORw0KGgoAAAANSUhEUg..."],
                }
            ],
            "outputs": [{"name": LABELS}],
        },
    },
}


def _without_references(schema: Any, definitions: dict[str, Any]) -> Any:
    """Return a JSON schema that holds what it referred to: OpenAPI keeps definitions elsewhere."""
    if isinstance(schema, list):
        return [_without_references(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    referred = schema.get("$ref", "").removeprefix("#/$defs/")
    merged = {**definitions.get(referred, {}), **schema}
    return {
        name: _without_references(each, definitions)
        for name, each in merged.items()
        if name not in ("$ref", "$defs")
    }


_SCHEMA = InferenceRequest.model_json_schema()

_BINARY = {
    "type": "string",
    "format": "binary",
    "contentMediaType": "application/octet-stream",
    "description": "A JSON object, as long as Inference-Header-Content-Length says, and then the "
    "tensors whose parameter `binary_data_size` says how long they are: numbers little-endian, "
    "booleans one byte each; of BYTES, the length of each element as 4 bytes, little-endian, and "
    "then the element.",
}

INFERENCE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": _without_references(_SCHEMA, _SCHEMA["$defs"]),
                "examples": _EXAMPLES,
            },
            "application/octet-stream": {"schema": _BINARY},
        },
    }
}

BINARY_CONTENT = {"application/octet-stream": {"schema": _BINARY}}
"""Of a response, beside JSON."""
