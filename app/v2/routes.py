"""The protocol's paths."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path
from pydantic.json_schema import SkipJsonSchema
from starlette.requests import Request
from starlette.responses import Response

from app import __version__
from app.disconnect import unless_disconnected
from app.errors import UnavailableError
from app.examples import shown
from app.images import DecodedImage, ImageError
from app.job import Prediction
from app.routes import ReadyService, started_service
from app.service import Service
from app.v2 import examples
from app.v2.answers import HEADER_LENGTH, inference_response, requested_outputs
from app.v2.body import Body
from app.v2.errors import PREFIX, UnknownModelError, documented
from app.v2.metadata import model_metadata
from app.v2.openapi import BINARY_CONTENT, INFERENCE_BODY
from app.v2.pictures import Pictures, read_pictures
from app.v2.protocol import (
    InferenceResponse,
    ModelMetadata,
    ModelReady,
    ServerLive,
    ServerMetadata,
    ServerReady,
    Size,
)

router = APIRouter(prefix=PREFIX, tags=["Open Inference Protocol"])
model_router = APIRouter()


async def named_service(name: Annotated[str, Path()], service: ReadyService) -> Service:
    """Return the service of the model that the path names.

    Raises:
        NotReadyError: It has not started, or can no longer predict.
        UnknownModelError: It serves another one.
    """
    served = service.model.card.name
    if name != served:
        raise UnknownModelError(f"There is no model {name!r}; ask for {served}.")
    return service


NamedService = Annotated[Service, Depends(named_service)]


async def check_version(version: Annotated[str, Path()], service: NamedService) -> None:
    """Raise UnknownModelError if the path names another version than is served."""
    served = service.model.card.version
    if version != served:
        raise UnknownModelError(f"There is no version {version!r} of the model; ask for {served}.")


@router.get("", summary="Describe the server", responses=shown(examples.SERVER))
async def server_metadata() -> ServerMetadata:
    """Return its name, version and extensions (section Server Metadata)."""
    return ServerMetadata(name="alexnet", version=__version__, extensions=["binary_tensor_data"])


@router.get(
    "/health/live",
    summary="Whether the process works",
    responses=shown(examples.LIVE) | documented(503),
)
async def live(request: Request) -> ServerLive:
    """Answer 200 unless only a restart would help (section Server Live)."""
    if service := started_service(request):
        service.check_live()
    return ServerLive()


@router.get(
    "/health/ready",
    summary="Whether pictures are predicted",
    responses=shown(examples.READY) | documented(503),
)
async def ready(_: ReadyService) -> ServerReady:
    """Answer 200 as `/health/ready` does (section Server Ready)."""
    return ServerReady()


@model_router.get(
    "", summary="Describe the model", responses=shown(examples.MODEL) | documented(404, 422, 503)
)
async def metadata(service: NamedService) -> ModelMetadata:
    """Return its inputs, of which a request sends one, and its outputs (section Model Metadata)."""
    return model_metadata(service.model)


@model_router.get(
    "/ready",
    summary="Whether the model predicts pictures",
    responses=shown(examples.MODEL_READY) | documented(404, 422, 503),
)
async def model_ready(service: NamedService) -> ModelReady:
    """Answer 200 as `/health/ready` does (section Model Ready)."""
    return ModelReady(name=service.model.card.name)


@model_router.post(
    "/infer",
    summary="Say what pictures show",
    openapi_extra=INFERENCE_BODY,
    response_model=InferenceResponse,
    responses=shown(examples.INFERENCE, BINARY_CONTENT)
    | documented(400, 404, 408, 413, 415, 422, 500, 503, 504),
)
async def infer(
    request: Request,
    service: NamedService,
    header_length: Annotated[
        Size | SkipJsonSchema[None],
        Header(alias=HEADER_LENGTH, description="Bytes of JSON before the binary tensor."),
    ] = None,
) -> Response:
    """Classify one or more pictures, all of them or none (section Inference).

    They are sent as one of two inputs: `pixels`, UINT8, RGB of the network's size, or `image`,
    BYTES, whole files of any format and size that `/predict` reads. In JSON, each file is a string
    of base64. The answers are those of `/predict`: `probabilities` in the order of the labels in
    `/models`, the most probable of the `labels`, and, from a model that can tell how typical a
    picture is, `typicality` and `in_domain`.
    """
    settings, card = service.settings, service.model.card
    body = Body(request, settings.max_upload_bytes)
    inference, pictures = await read_pictures(body, header_length, card, settings.max_queue)
    binary = requested_outputs(inference, card)
    predictions = await _predictions(request, service, pictures)
    return inference_response(card, predictions, inference.id, binary)


async def _predictions(
    request: Request, service: Service, pictures: Pictures
) -> Sequence[Prediction]:
    answers = _submit(service, pictures)
    try:
        return await unless_disconnected(request, asyncio.gather(*answers))
    except ImageError as error:
        position = next(number for number, each in enumerate(answers) if _failed(each, error))
        raise type(error)(f"Picture {position} of the tensor: {error}") from error
    finally:
        _withdraw(answers)


def _submit(service: Service, pictures: Pictures) -> list[asyncio.Future[Prediction]]:
    images = [each for each in pictures if isinstance(each, DecodedImage)]
    files = [each for each in pictures if isinstance(each, bytes)]
    answers = service.classify_decoded(images)
    try:
        for file in files:
            answers.append(service.classify(file))
    except UnavailableError:
        _withdraw(answers)
        raise
    return answers


def _failed(answer: asyncio.Future[Prediction], error: Exception) -> bool:
    return answer.done() and not answer.cancelled() and answer.exception() is error


def _withdraw(answers: Sequence[asyncio.Future[Prediction]]) -> None:
    for answer in answers:
        answer.cancel()


router.include_router(model_router, prefix="/models/{name}")
router.include_router(
    model_router,
    prefix="/models/{name}/versions/{version}",
    dependencies=[Depends(check_version)],
)
