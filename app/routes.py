"""The service's paths."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from app.disconnect import unless_disconnected
from app.errors import (
    DeadlineError,
    DecodingError,
    EmptyUploadError,
    InferenceError,
    MalformedUploadError,
    MissingFileError,
    NotLiveError,
    NotReadyError,
    OverloadedError,
    SlowRequestError,
    TooManyFieldsError,
    TooManyFilesError,
    UnsupportedUploadError,
    UploadTooLargeError,
)
from app.examples import LIVE, MODEL, PREDICTION, READY, shown
from app.images import (
    BrokenImageError,
    ImageTooLargeError,
    ImageTooSlowError,
    UnsupportedImageError,
)
from app.metrics import Metrics
from app.problems import documented
from app.schemas import Health, PredictionResponse, ServedModel
from app.service import Service
from app.upload import FIELD, read_upload

router = APIRouter()

PICTURE = {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}


def form_content(field: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI content of a form with one field."""
    form = {"type": "object", "required": [field], "properties": {field: schema}}
    return {"multipart/form-data": {"schema": form}}


PICTURE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            **form_content(FIELD, {"description": "The picture.", **PICTURE}),
            "image/*": {"schema": PICTURE},
            "application/octet-stream": {"schema": PICTURE},
        },
    }
}
PICTURE_ERRORS = (
    BrokenImageError,
    EmptyUploadError,
    MalformedUploadError,
    SlowRequestError,
    UploadTooLargeError,
    TooManyFieldsError,
    ImageTooLargeError,
    ImageTooSlowError,
    UnsupportedImageError,
    UnsupportedUploadError,
    MissingFileError,
    TooManyFilesError,
    DecodingError,
    InferenceError,
    NotReadyError,
    OverloadedError,
    DeadlineError,
)
"""What may be wrong with a request that holds one picture."""


def started_service(request: Request) -> Service | None:
    """Return the service, unless its model is being loaded."""
    service: Service | None = getattr(request.state, "service", None)
    return service


async def ready_service(request: Request) -> Service:
    """Return the service that answers the request.

    Raises:
        NotReadyError: It has not started, or can no longer predict.
    """
    service = started_service(request)
    if service is None:
        raise NotReadyError("The model is being loaded; try again in a moment.")
    service.check_ready()
    return service


ReadyService = Annotated[Service, Depends(ready_service)]


@router.post(
    "/predict",
    tags=["predictions"],
    summary="Say what a picture shows",
    openapi_extra=PICTURE_BODY,
    response_model=PredictionResponse,
    responses=shown(PREDICTION) | documented(*PICTURE_ERRORS),
)
async def predict(request: Request, service: ReadyService) -> Response:
    """Classify the picture in the form's field `file`, or in the whole body.

    JPEG, PNG, WebP, AVIF, HEIC, GIF, BMP and TIFF are read.
    """
    answer = service.classify(await read_upload(request, service.settings))
    prediction = await unless_disconnected(request, answer)
    response = PredictionResponse.of(service.model.card, prediction)
    return Response(response.model_dump_json(), media_type="application/json")


@router.get(
    "/models",
    tags=["model"],
    summary="Describe the model",
    responses=shown(MODEL) | documented(NotReadyError),
)
async def models(service: ReadyService) -> ServedModel:
    """Return the model card, with the engine and the device that run the model."""
    card, engine = service.model.card, service.model.engine
    return ServedModel(**card.model_dump(), engine=engine.name, device=engine.device)


@router.get(
    "/health/live",
    tags=["health"],
    summary="Whether the process works",
    responses=shown(LIVE) | documented(NotLiveError),
)
async def live(request: Request) -> Health:
    """Answer 200 unless a part of the service hangs, so that only a restart would help."""
    if service := started_service(request):
        service.check_live()
    return Health(status="live")


@router.get(
    "/health/ready",
    tags=["health"],
    summary="Whether pictures are predicted",
    responses=shown(READY) | documented(NotReadyError),
)
async def ready(_: ReadyService) -> Health:
    """Answer 200 once the model is loaded and warm, until the service ends or its engine fails."""
    return Health(status="ready")


@router.get(
    "/metrics",
    tags=["health"],
    summary="Tell Prometheus how the service does",
    response_class=PlainTextResponse,
)
async def metrics(request: Request) -> Response:
    """Return counts of requests and predictions, latencies, and what waits."""
    figures: Metrics = request.app.state.metrics
    return Response(figures.render(), media_type=CONTENT_TYPE_LATEST)
