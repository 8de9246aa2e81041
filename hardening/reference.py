"""What the service says while it has nothing else to do."""

from __future__ import annotations

import io
from typing import Any, NamedTuple

import httpx
from PIL import Image

from benchmarks.pictures import SMALL, photographs
from hardening import bodies

_FORMATS = ("PNG", "WEBP", "TIFF", "AVIF")
_EXPLAINED = 2


class Known(NamedTuple):
    """A picture, and the answers to it."""

    picture: bytes
    label: str
    scores: list[float]
    """In the order of the model's labels."""
    grid: list[list[float]]
    """Of its explanation; empty where it was not asked for."""


class Reference(NamedTuple):
    """What is known of a service and its answers."""

    infer_path: str
    """Where the Open Inference Protocol is spoken."""
    labels: list[str]
    known: list[Known]

    def scores(self, answer: dict[str, Any]) -> list[float]:
        """Return the scores of a prediction in the order of the labels."""
        by_label = {each["label"]: each["score"] for each in answer["predictions"]}
        return [by_label[label] for label in self.labels]


async def ask(client: httpx.AsyncClient) -> Reference:
    """Ask about one picture after the other."""
    card = (await client.get("/models")).raise_for_status().json()
    reference = Reference(f"/v2/models/{card['name']}/infer", card["labels"], [])
    for number, picture in enumerate(_pictures()):
        answer = await _post(client, "/predict", picture)
        grid = (await _post(client, "/explain", picture))["grid"] if number < _EXPLAINED else []
        reference.known.append(Known(picture, answer["label"], reference.scores(answer), grid))
    return reference


async def _post(client: httpx.AsyncClient, path: str, picture: bytes) -> dict[str, Any]:
    body = bodies.raw(picture)
    response = await client.post(path, content=body.content, headers=body.headers)
    answer: dict[str, Any] = response.raise_for_status().json()
    return answer


def _pictures() -> list[bytes]:
    """Make JPEGs of 500x375, and a few of them again in other formats."""
    jpegs = list(photographs(SMALL))
    return jpegs + [_converted(jpeg, name) for jpeg, name in zip(jpegs, _FORMATS, strict=False)]


def _converted(jpeg: bytes, file_format: str) -> bytes:
    file = io.BytesIO()
    Image.open(io.BytesIO(jpeg)).save(file, file_format)
    return file.getvalue()
