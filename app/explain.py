"""The path that explains an answer."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.disconnect import unless_disconnected
from app.errors import NotAcceptableError
from app.examples import EXPLANATION, shown
from app.heatmap import draw_heatmap
from app.negotiation import accepted_type
from app.occlusion import explain
from app.problems import documented
from app.routes import PICTURE_BODY, PICTURE_ERRORS, ReadyService
from app.schemas import ExplanationResponse
from app.upload import read_upload

router = APIRouter()

_JSON = "application/json"
_PNG = "image/png"
_DRAWN = {_PNG: {"schema": {"type": "string", "format": "binary"}}}


@router.post(
    "/explain",
    tags=["predictions"],
    summary="Show where in a picture its answer comes from",
    openapi_extra=PICTURE_BODY,
    response_model=ExplanationResponse,
    responses=shown(EXPLANATION, _DRAWN) | documented(*PICTURE_ERRORS, NotAcceptableError),
)
async def explain_picture(request: Request, service: ReadyService) -> Response:
    """Classify a picture as `/predict` does, and again with each of its regions hidden.

    Answers with a grid of what that takes from the score, or, to `Accept: image/png`, with the
    picture under that as a heat map.
    """
    media_type = accepted_type(request, (_JSON, _PNG))
    settings = service.settings
    data = await read_upload(request, settings)
    explaining = asyncio.ensure_future(explain(service, data))
    explanation = await unless_disconnected(request, explaining)
    if media_type == _PNG:
        image = explanation.prediction.image
        await service.drawing.acquire()
        drawing = asyncio.ensure_future(
            asyncio.to_thread(
                draw_heatmap,
                data,
                image,
                explanation.grid,
                settings.max_pixels,
                settings.max_decode_seconds,
            )
        )
        drawing.add_done_callback(lambda _: service.drawing.release())
        content = await asyncio.shield(drawing)  # its thread goes on, and so has to be counted
    else:
        answer = ExplanationResponse.explaining(service.model.card, explanation)
        content = answer.model_dump_json().encode()
    return Response(content, media_type=media_type, headers={"Vary": "Accept"})
