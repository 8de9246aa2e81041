"""What OpenAPI says of the bodies of inference requests and their responses."""

from __future__ import annotations

from typing import Any

from app.v2.metadata import IMAGE, IN_DOMAIN, LABELS, PIXELS, PROBABILITIES, TYPICALITY
from app.v2.protocol import InferenceRequest

_WHITE = "R0lGODdhAQABAIEAAP///wAAAAAAAAAAACwAAAAAAQABAAAIBAABBAQAOw=="
_BLACK = "R0lGODdhAQABAIEAAAAAAAAAAAAAAAAAACwAAAAAAQABAAAIBAABBAQAOw=="
"""GIFs of one pixel, in base64, so that what the document shows can be sent."""

_EXAMPLES: dict[str, Any] = {
    "all outputs": {
        "summary": "A file, in base64",
        "value": {"inputs": [{"name": IMAGE, "shape": [1], "datatype": "BYTES", "data": [_WHITE]}]},
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
                    "data": [_WHITE, _BLACK],
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


def _request_schema() -> dict[str, Any]:
    """Return the schema of a request, which says of each input what `_check` asks for."""
    general = InferenceRequest.model_json_schema()
    schema: dict[str, Any] = _without_references(general, general["$defs"])
    properties = schema["properties"]
    tensor = properties["inputs"]["items"]
    file = {"type": "string", "contentEncoding": "base64", "examples": [_WHITE]}
    number = {"type": "integer", "minimum": 0, "maximum": 255}
    numbers = {"anyOf": [number, {"type": "array", "items": {}}]}
    properties["inputs"]["items"] = {
        "anyOf": [
            _tensor_schema(tensor, IMAGE, "BYTES", 1, file),
            _tensor_schema(tensor, PIXELS, "UINT8", 4, numbers),
        ]
    }
    outputs = [PROBABILITIES, LABELS, TYPICALITY, IN_DOMAIN]
    properties["outputs"]["items"]["properties"]["name"]["enum"] = outputs
    return schema


def _tensor_schema(
    general: dict[str, Any], name: str, datatype: str, dimensions: int, element: dict[str, Any]
) -> dict[str, Any]:
    size = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
    shape = {"type": "array", "items": size, "minItems": dimensions, "maxItems": dimensions}
    properties = general["properties"]
    return general | {
        "title": f"Input {name}",
        "properties": properties
        | {
            "name": {"type": "string", "const": name},
            "datatype": {"type": "string", "const": datatype},
            "shape": {"description": "The pictures' number comes first.", **shape},
            "data": {
                "description": properties["data"]["description"],
                "type": ["array", "null"],
                "items": element,
                "minItems": 1,
            },
        },
    }


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
                "schema": _request_schema(),
                "examples": _EXAMPLES,
            },
            "application/octet-stream": {"schema": _BINARY},
        },
    }
}

BINARY_CONTENT = {"application/octet-stream": {"schema": _BINARY}}
"""Of a response, beside JSON."""
