"""The protocol's JSON objects."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

Size = Annotated[int, Field(ge=0, le=2**63 - 1)]
Datatype: TypeAlias = Literal["UINT8", "BYTES", "FP32", "BOOL"]


class _RequestPart(BaseModel):
    """What a client sends; parameters of other servers are let pass."""

    model_config = ConfigDict(strict=True, frozen=True)


class InputParameters(_RequestPart):
    """Of an input (Binary Tensor Data Extension)."""

    binary_data_size: Size | None = Field(
        default=None, description="Bytes of the tensor behind the JSON object, instead of `data`."
    )


class RequestInput(_RequestPart):
    """A tensor of pictures (section Request Input)."""

    name: str = Field(examples=["image"])
    shape: list[Size] = Field(max_length=8, examples=[[1]])
    datatype: str = Field(examples=["BYTES"])
    parameters: InputParameters = InputParameters()
    data: list[Any] | None = Field(
        default=None,
        description="Of `pixels`: numbers from 0 to 255, flat or nested as the shape says. Of "
        "`image`: the files, each as a string of base64 (RFC 4648, section 4).",
    )


class OutputParameters(_RequestPart):
    """Of an output (Binary Tensor Data Extension)."""

    binary_data: bool | None = Field(
        default=None, description="Whether it is sent behind the JSON object, not in it."
    )


class RequestOutput(_RequestPart):
    """An output that is asked for (section Request Output)."""

    name: str = Field(examples=["probabilities"])
    parameters: OutputParameters = OutputParameters()


class RequestParameters(_RequestPart):
    """Of a whole request (Binary Tensor Data Extension)."""

    binary_data_output: bool = Field(
        default=False, description="What `binary_data` is for outputs that do not say."
    )


class InferenceRequest(_RequestPart):
    """Section Inference Request JSON Object."""

    id: str | None = Field(default=None, description="Comes back in the response.")
    parameters: RequestParameters = RequestParameters()
    inputs: list[RequestInput] = Field(
        min_length=1, max_length=1, description="Either `pixels` or `image`."
    )
    outputs: list[RequestOutput] = Field(default=[], description="Empty asks for all of them.")


class ResponseParameters(BaseModel):
    """Of an output (Binary Tensor Data Extension)."""

    binary_data_size: int = Field(description="Bytes of the tensor behind the JSON object.")


class ResponseOutput(BaseModel):
    """A tensor of answers (section Response Output)."""

    name: str = Field(examples=["labels"])
    shape: list[int] = Field(examples=[[1]])
    datatype: Datatype = Field(examples=["BYTES"])
    parameters: ResponseParameters | None = None
    data: list[Any] | None = Field(
        default=None, description="Flat, in row-major order.", examples=[["cat"]]
    )


class InferenceResponse(BaseModel):
    """Section Inference Response JSON Object."""

    model_name: str = Field(examples=["dogs-vs-cats"])
    model_version: str = Field(examples=["1.0.0"])
    id: str | None = Field(default=None, description="As in the request.")
    outputs: list[ResponseOutput]


class TensorMetadata(BaseModel):
    """One input or output; -1 stands for the number of pictures."""

    name: str = Field(examples=["image"])
    datatype: Datatype = Field(examples=["BYTES"])
    shape: list[int] = Field(examples=[[-1]])


class ModelMetadata(BaseModel):
    """Section Model Metadata Response JSON Object."""

    name: str = Field(examples=["dogs-vs-cats"])
    versions: list[str] = Field(examples=[["1.0.0"]])
    platform: str = Field(examples=["LiteRT"])
    inputs: list[TensorMetadata] = Field(description="A request sends one of them.")
    outputs: list[TensorMetadata]


class ServerMetadata(BaseModel):
    """Section Server Metadata Response JSON Object."""

    name: str = Field(examples=["alexnet"])
    version: str = Field(examples=["0.1.0"])
    extensions: list[str] = Field(examples=[["binary_tensor_data"]])


class ServerLive(BaseModel):
    """Section Server Live Response JSON Object."""

    live: Literal[True] = True


class ServerReady(BaseModel):
    """Section Server Ready Response JSON Object."""

    ready: Literal[True] = True


class ModelReady(BaseModel):
    """Section Model Ready Response JSON Object."""

    name: str = Field(examples=["dogs-vs-cats"])
    ready: Literal[True] = True


class ErrorResponse(BaseModel):
    """Section Inference Response JSON Error Object, and those like it."""

    error: str = Field(description="What is wrong with this request, and what to do.")
