"""The pictures that a request holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias, TypeVar

from pydantic import ValidationError

from app.card import ModelCard
from app.errors import UploadTooLargeError
from app.images import DecodedImage
from app.v2 import numerals
from app.v2.body import Body
from app.v2.errors import InvalidInferenceError
from app.v2.metadata import ANY_NUMBER, PIXELS, inputs_of
from app.v2.protocol import InferenceRequest, RequestInput
from app.v2.tensors import base64_elements, binary_elements, decoded_images

Pictures: TypeAlias = list[bytes] | list[DecodedImage]
"""Files, or pixels of the network's size."""

Result = TypeVar("Result")

_QUICK_BYTES = 65_536
"""What is parsed at once; more than that leaves the event loop to others."""

_SPARE_VALUES = 1024
"""Of a request's JSON, beside one for each picture."""


class PictureRequest(NamedTuple):
    """A request, and the pictures that it asks about."""

    inference: InferenceRequest
    pictures: Pictures


async def read_pictures(
    body: Body, header_length: int | None, card: ModelCard, most: int
) -> PictureRequest:
    """Read a request, and no further than it is valid.

    Args:
        body: A JSON object, and the binary tensor if there is one.
        header_length: Bytes of the JSON object; None says that it is the whole body.
        card: Of the model that is asked.
        most: How many pictures may be sent.

    Raises:
        UploadError: The request is not one of the protocol, not one for the model, or too large.
        ClientDisconnect: The client is gone.
    """
    text = await (body.rest() if header_length is None else body.read(header_length))
    inference, array = await _parsed(text, _parse_request, text, most)
    tensor = inference.inputs[0]
    _check(tensor, card, most)
    size = tensor.parameters.binary_data_size
    if size is None:
        pictures = await _parsed(text, _pictures_in_json, tensor, array)
    elif tensor.data is None and array is None:
        pictures = _pictures_in_binary(tensor, await body.read(size))
    else:
        raise InvalidInferenceError("The input has both data and binary_data_size; send one.")
    if await body.rest():
        raise InvalidInferenceError(
            "The body goes on after the tensor; send what Inference-Header-Content-Length and "
            "binary_data_size announce."
        )
    return PictureRequest(inference, pictures)


async def _parsed(text: bytes, parse: Callable[..., Result], *arguments: object) -> Result:
    if len(text) <= _QUICK_BYTES:
        return parse(*arguments)
    return await asyncio.to_thread(parse, *arguments)


def _parse_request(text: bytes, most: int) -> tuple[InferenceRequest, bytes | None]:
    rest, array = numerals.lift(text)
    if rest.count(b",") + rest.count(b"[") > most + _SPARE_VALUES:
        raise InvalidInferenceError(
            "The JSON object has more values than a request for one tensor needs; send the "
            "protocol's alone."
        )
    try:
        return InferenceRequest.model_validate_json(rest), array
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the JSON object"
        raise InvalidInferenceError(
            f"The request is invalid at {place}: {first['msg']}; send it as the protocol says."
        ) from error


def _check(tensor: RequestInput, card: ModelCard, most: int) -> None:
    accepted = {each.name: each for each in inputs_of(card)}
    expected = accepted.get(tensor.name)
    if expected is None:
        raise InvalidInferenceError(
            f"The model has no input {tensor.name!r}; send one of {', '.join(accepted)}."
        )
    if tensor.datatype != expected.datatype or not _fits(tensor.shape, expected.shape):
        raise InvalidInferenceError(
            f"The input {tensor.name} is {tensor.datatype} {tensor.shape}; send "
            f"{expected.datatype} {expected.shape}, where {ANY_NUMBER} stands for 1 or more."
        )
    if tensor.shape[0] > most:
        raise UploadTooLargeError(
            f"The request has {tensor.shape[0]} pictures; send at most {most} at a time."
        )


def _fits(shape: Sequence[int], expected: Sequence[int]) -> bool:
    return len(shape) == len(expected) and all(
        size == wanted or (wanted == ANY_NUMBER and size > 0)
        for size, wanted in zip(shape, expected, strict=True)
    )


def _pictures_in_json(tensor: RequestInput, array: bytes | None) -> Pictures:
    if tensor.name != PIXELS:
        return base64_elements(tensor.data, tensor.shape[0])
    if array is None:
        raise InvalidInferenceError(
            f"The input {PIXELS} has neither numbers as data nor binary_data_size; send one."
        )
    return decoded_images(numerals.uint8_values(array, tensor.shape), tensor.shape)


def _pictures_in_binary(tensor: RequestInput, data: bytes) -> Pictures:
    if tensor.name == PIXELS:
        return decoded_images(data, tensor.shape)
    return binary_elements(data, tensor.shape[0])
