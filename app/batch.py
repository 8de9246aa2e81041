"""The path that answers for several pictures at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from functools import partial
from typing import Any, NamedTuple

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.card import ModelCard
from app.disconnect import unless_disconnected
from app.errors import (
    BatchTooLargeError,
    DeadlineError,
    MalformedUploadError,
    MissingFileError,
    NotReadyError,
    OverloadedError,
    ServiceError,
    SlowRequestError,
    TooManyFieldsError,
    UnsupportedUploadError,
)
from app.examples import BATCH, shown
from app.images import ImageError
from app.job import Prediction
from app.metrics import Metrics
from app.problems import documented, problem_of
from app.routes import PICTURE, ReadyService, form_content
from app.schemas import BatchResponse, BatchResult, PredictionResponse
from app.service import Service
from app.upload import BATCH_FIELD, BatchFile, read_batch

router = APIRouter()

_AT_ONCE = 16
"""Files of a request that are being answered: enough for the engines to have full batches, and few
enough for others to come between. The rest of the body waits with the client."""
_RETRY_SECONDS = 0.02

_FILES = {"description": "The pictures.", "type": "array", "minItems": 1, "items": PICTURE}
_FILES_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": form_content(BATCH_FIELD, _FILES)}
}


class _Entry(NamedTuple):
    filename: str
    answer: asyncio.Future[Prediction]


@router.post(
    "/predict/batch",
    tags=["predictions"],
    summary="Say what several pictures show",
    openapi_extra=_FILES_BODY,
    response_model=BatchResponse,
    responses=shown(BATCH)
    | documented(
        MalformedUploadError,
        SlowRequestError,
        BatchTooLargeError,
        TooManyFieldsError,
        UnsupportedUploadError,
        MissingFileError,
        NotReadyError,
        OverloadedError,
        DeadlineError,
    ),
)
async def predict_batch(request: Request, service: ReadyService) -> Response:
    """Classify the pictures in the form's fields `files`, and answer in their order.

    A file that cannot be answered gets a problem document of its own, and the others their answers.
    """
    entries = await _submitted(service, read_batch(request, service.settings))
    answers = asyncio.gather(*(entry.answer for entry in entries), return_exceptions=True)
    outcomes = await unless_disconnected(request, answers)
    card = service.model.card
    results = [
        _result(card, entry.filename, outcome)
        for entry, outcome in zip(entries, outcomes, strict=True)
    ]
    metrics: Metrics = request.app.state.metrics
    for result in results:
        if result.problem:
            metrics.count_rejected(result.problem.kind)
    answer = BatchResponse(results=results)
    return Response(answer.model_dump_json(), media_type="application/json")


async def _submitted(service: Service, files: AsyncIterable[BatchFile]) -> list[_Entry]:
    """Read all files, while those that came first are answered.

    Raises:
        UploadError: The request as a whole cannot be read.
        UnavailableError: The service does not take even the first picture, or has ended.
    """
    room = asyncio.Semaphore(_AT_ONCE)
    entries: list[_Entry] = []
    try:
        async for file in files:
            await room.acquire()
            answer = await _answer(service, file.upload, patient=bool(entries))
            answer.add_done_callback(partial(_leave, room))
            entries.append(_Entry(file.name, answer))
    except BaseException:
        for entry in entries:
            entry.answer.cancel()
        raise
    return entries


def _leave(room: asyncio.Semaphore, answer: asyncio.Future[Prediction]) -> None:
    room.release()
    if not answer.cancelled():
        answer.exception()  # or asyncio complains where the request fails before it is looked at


async def _answer(
    service: Service, upload: bytes | Exception, *, patient: bool
) -> asyncio.Future[Prediction]:
    """Return the answer to come; if patient, wait until the queue has room for the picture."""
    if isinstance(upload, Exception):
        refused = asyncio.get_running_loop().create_future()
        refused.set_exception(upload)
        return refused
    while True:
        try:
            return service.classify(upload)
        except OverloadedError:
            if not patient:
                raise
            await asyncio.sleep(_RETRY_SECONDS)


def _result(card: ModelCard, filename: str, outcome: Prediction | BaseException) -> BatchResult:
    if isinstance(outcome, ImageError | ServiceError):
        return BatchResult(filename=filename, problem=problem_of(outcome))
    if isinstance(outcome, BaseException):
        raise outcome
    return BatchResult(filename=filename, prediction=PredictionResponse.of(card, outcome))
