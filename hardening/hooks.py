"""What an OpenAPI document cannot say of requests, told to schemathesis.

Of some strings it cannot say that they are pictures, nor that one part of a request fits another:
the elements of a tensor its shape, a header the length of the JSON object. What schemathesis means
to be valid is mended here in these points, and in no other; what it means to be invalid is sent as
it is.
"""

from __future__ import annotations

from itertools import cycle, islice
from typing import Any, cast

import schemathesis
from hypothesis import strategies
from schemathesis import Case, HookContext, Response
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.core.parameters import ParameterLocation

from benchmarks.pictures import Kind, photographs
from hardening.bodies import LENGTH_HEADER, binary_inference, image_input

_PICTURES = list(photographs(Kind(80, 60, 3_000, 4)))
_PIXELS_SHAPE = [1, 227, 227, 3]
_PIXELS = [0] * (227 * 227 * 3)

schemathesis.openapi.format("binary", strategies.sampled_from(_PICTURES))


# Its types do not tell that the decorator has `apply_to`.
@schemathesis.hook.apply_to(path_regex="/infer$")  # type: ignore[attr-defined, untyped-decorator]  # see above
def map_case(context: HookContext, case: Case[Any]) -> Case[Any]:
    """Let the parts of an inference request fit together, if they are meant to be valid."""
    if not _is_positive(case, ParameterLocation.BODY):
        return case
    is_json = case.media_type == "application/json"
    binary = binary_inference(_PICTURES[:1])
    case.body = _fitting(cast("dict[str, Any]", case.body)) if is_json else binary.content
    if _is_positive(case, ParameterLocation.HEADER):
        case.headers.pop(LENGTH_HEADER, None)
        case.headers.update({} if is_json else binary.headers)
    return case


@schemathesis.hook.apply_to(path="/predict/batch")  # type: ignore[attr-defined, untyped-decorator]  # as above
def filter_failure(
    context: HookContext, failure: Failure, case: Case[Any], response: Response
) -> bool:
    """Let pass that a batch is answered although its files are invalid, if the answer says so.

    The parts of a form have no types: whatever was meant, each is a file. One that is no picture is
    a problem in the answer, which is a success for the sake of the other files.
    """
    if not isinstance(failure, AcceptedNegativeData):
        return True
    return any(result["problem"] is None for result in response.json()["results"])


def _is_positive(case: Case[Any], location: ParameterLocation) -> bool:
    component = case.meta.components.get(location) if case.meta else None
    return component is None or component.mode.is_positive


def _fitting(request: dict[str, Any]) -> dict[str, Any]:
    (tensor,) = request["inputs"]
    fitting = {**request, "inputs": [_fitting_tensor(tensor)]}
    if "outputs" in request:
        asked = {output["name"]: output for output in request["outputs"]}
        every_model_has = ("probabilities", "labels")
        fitting["outputs"] = [asked[name] for name in every_model_has if name in asked]
    return fitting


def _fitting_tensor(tensor: dict[str, Any]) -> dict[str, Any]:
    parameters = {**tensor.get("parameters", {}), "binary_data_size": None}
    if tensor["name"] == "pixels":
        return {**tensor, "shape": _PIXELS_SHAPE, "data": _PIXELS, "parameters": parameters}
    count = len(tensor.get("data") or [None])
    pictures = list(islice(cycle(_PICTURES), count))
    return {**tensor, **image_input(pictures), "parameters": parameters}
