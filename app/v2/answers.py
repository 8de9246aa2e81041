"""What the model says of the pictures, as the protocol sends it."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from starlette.responses import Response

from app.card import ModelCard
from app.job import Prediction
from app.schemas import PredictionResponse
from app.v2.errors import InvalidInferenceError
from app.v2.metadata import IN_DOMAIN, LABELS, PROBABILITIES, TYPICALITY, outputs_of
from app.v2.protocol import (
    Datatype,
    InferenceRequest,
    InferenceResponse,
    RequestOutput,
    ResponseOutput,
    ResponseParameters,
)

HEADER_LENGTH = "Inference-Header-Content-Length"


def requested_outputs(request: InferenceRequest, card: ModelCard) -> dict[str, bool]:
    """Return the names of the outputs that a request asks for, and whether each goes as binary.

    Raises:
        InvalidInferenceError: The model lacks one of them, or one is asked for twice.
    """
    existing = [each.name for each in outputs_of(card)]
    asked = request.outputs or [RequestOutput(name=name) for name in existing]
    by_default = request.parameters.binary_data_output
    binary: dict[str, bool] = {}
    for output in asked:
        if output.name not in existing or output.name in binary:
            raise InvalidInferenceError(
                f"The output {output.name!r} does not exist, or is asked for twice; ask for some "
                f"of {', '.join(existing)}."
            )
        wish = output.parameters.binary_data
        binary[output.name] = by_default if wish is None else wish
    return binary


def inference_response(
    card: ModelCard,
    predictions: Sequence[Prediction],
    request_id: str | None,
    binary: dict[str, bool],
) -> Response:
    """Answer a request (section Inference Response JSON Object, Binary Tensor Data Extension).

    Args:
        card: Of the model that predicted.
        predictions: One or more, whose figures are rounded as those of `/predict` are.
        request_id: What the request called itself.
        binary: As `requested_outputs` returns it.
    """
    values = _values(card, predictions)
    outputs, blobs = [], []
    for tensor in outputs_of(card):
        if tensor.name not in binary:
            continue
        output = ResponseOutput(
            name=tensor.name, datatype=tensor.datatype, shape=[len(predictions), *tensor.shape[1:]]
        )
        if binary[tensor.name]:
            blobs.append(_encoded(values[tensor.name], tensor.datatype))
            output.parameters = ResponseParameters(binary_data_size=len(blobs[-1]))
        else:
            output.data = values[tensor.name]
        outputs.append(output)
    header = (
        InferenceResponse(
            model_name=card.name, model_version=card.version, id=request_id, outputs=outputs
        )
        .model_dump_json(exclude_none=True)
        .encode()
    )
    if not blobs:
        return Response(header, media_type="application/json")
    return Response(
        b"".join([header, *blobs]),
        media_type="application/octet-stream",
        headers={HEADER_LENGTH: str(len(header))},
    )


def _values(card: ModelCard, predictions: Sequence[Prediction]) -> dict[str, list[Any]]:
    answers = [PredictionResponse.of(card, prediction) for prediction in predictions]
    scores = [{each.label: each.score for each in answer.predictions} for answer in answers]
    return {
        PROBABILITIES: [scores_of_one[label] for scores_of_one in scores for label in card.labels],
        LABELS: [answer.label for answer in answers],
        TYPICALITY: [answer.typicality for answer in answers],
        IN_DOMAIN: [answer.in_domain for answer in answers],
    }


def _encoded(values: Sequence[Any], datatype: Datatype) -> bytes:
    if datatype == "BYTES":
        elements = [value.encode() for value in values]
        return b"".join(struct.pack("<I", len(element)) + element for element in elements)
    return np.array(values, "<f4" if datatype == "FP32" else np.bool_).tobytes()
