"""An answer of every kind, for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from app.card import DataSummary, Domain, Metrics, ModelFile
from app.problems import Problem
from app.schemas import (
    BatchResponse,
    BatchResult,
    ExplanationResponse,
    Health,
    ImageSummary,
    LabelScore,
    ModelName,
    PredictionResponse,
    ServedModel,
    Timing,
)

PREDICTION = PredictionResponse(
    label="cat",
    score=0.942272,
    predictions=[LabelScore(label="cat", score=0.942272), LabelScore(label="dog", score=0.057728)],
    in_domain=True,
    typicality=0.4213,
    model=ModelName(name="dogs-vs-cats", version="2026.11.24"),
    image=ImageSummary(width=500, height=414, format="JPEG"),
    timing_ms=Timing(decode=1.8, queue=0.1, inference=5.1),
)

EXPLANATION = ExplanationResponse(
    **dict(PREDICTION) | {"timing_ms": Timing(decode=1.8, queue=0.1, inference=512.4)},
    grid=[
        [0.0525, -0.0009, -0.0332, -0.0202, -0.0369, -0.0115, -0.0139, -0.002, -0.0023, -0.0045],
        [0.0609, 0.105, -0.0326, -0.0343, -0.0381, -0.0223, -0.015, -0.0053, -0.0058, -0.0091],
        [0.0856, 0.7651, 0.2484, -0.0145, -0.0351, -0.0246, 0.0022, 0.0009, -0.0043, -0.0012],
        [0.0128, 0.607, 0.5028, 0.1442, -0.012, 0.0141, -0.0034, -0.0084, 0.0065, 0.0012],
        [0.006, 0.112, 0.0967, 0.0144, 0.0086, 0.0318, 0.0476, 0.0257, 0.0158, -0.0001],
        [0.0073, 0.0014, -0.0052, 0.0126, 0.0108, 0.0277, 0.0648, 0.0457, 0.0129, 0.0029],
        [-0.0006, 0.0044, -0.0046, -0.002, 0.0044, 0.0181, 0.019, 0.0216, -0.0011, -0.0039],
        [0.0032, 0.0026, 0.0071, 0.0026, 0.0156, -0.009, 0.017, -0.0002, 0.0112, 0.0071],
        [-0.0003, -0.0034, 0.018, -0.0065, 0.0134, 0.0111, 0.0657, 0.0242, 0.0409, 0.0254],
        [-0.0001, 0.0014, -0.0032, -0.0104, -0.006, 0.0055, 0.0094, 0.0255, -0.0017, -0.0004],
    ],
)

BATCH = BatchResponse(
    results=[
        BatchResult(filename="photo.jpg", prediction=PREDICTION),
        BatchResult(
            filename="notes.txt",
            problem=Problem(
                type="/problems/unsupported-image",
                title="Unsupported image",
                status=415,
                detail="The file is not an image that can be read; send one of JPEG, PNG, WEBP.",
            ),
        ),
    ]
)

MODEL = ServedModel(
    name="dogs-vs-cats",
    version="2026.11.24",
    created="2026-11-24T12:44:39+00:00",
    labels=("cat", "dog"),
    files={"model.tflite": ModelFile(sha256="1b49a19e" * 8, bytes=62_550_712)},
    recipe={"optimizer": "adam", "epochs": 19},
    data=DataSummary(
        source="train.zip",
        counts={"cat": 11_500, "dog": 11_500},
        training=18_400,
        validation=4_600,
        split_seed=1,
    ),
    metrics={"litert_int8": Metrics(accuracy=0.9493, log_loss=0.137, images=4_600)},
    domain=Domain(
        score="energy",
        passing=0.95,
        quantiles=(1.1, 2.4, 7.9),
        threshold=1.3,
        roc_area={"noise": 0.99},
        tried={"energy": 0.99},
    ),
    software={"python": "3.11.7"},
    engine="LiteRT",
    device="cpu",
)

LIVE = Health(status="live")
READY = Health(status="ready")


def shown(
    example: BaseModel, other_content: Mapping[str, Any] = MappingProxyType({})
) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI response, by status, of a route that answers like this."""
    meaning = (type(example).__doc__ or "").splitlines()[0]
    content = {"application/json": {"example": example.model_dump(mode="json")}, **other_content}
    return {200: {"description": meaning, "content": content}}
