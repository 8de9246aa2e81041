"""An answer of every kind that the protocol has, for the documentation."""

from __future__ import annotations

from app.v2.protocol import (
    InferenceResponse,
    ModelMetadata,
    ModelReady,
    ResponseOutput,
    ServerLive,
    ServerMetadata,
    ServerReady,
    TensorMetadata,
)

SERVER = ServerMetadata(name="alexnet", version="0.1.0", extensions=["binary_tensor_data"])
LIVE = ServerLive()
READY = ServerReady()
MODEL = ModelMetadata(
    name="dogs-vs-cats",
    versions=["2026.11.24"],
    platform="LiteRT",
    inputs=[
        TensorMetadata(name="pixels", datatype="UINT8", shape=[-1, 227, 227, 3]),
        TensorMetadata(name="image", datatype="BYTES", shape=[-1]),
    ],
    outputs=[
        TensorMetadata(name="probabilities", datatype="FP32", shape=[-1, 2]),
        TensorMetadata(name="labels", datatype="BYTES", shape=[-1]),
    ],
)
MODEL_READY = ModelReady(name="dogs-vs-cats")
INFERENCE = InferenceResponse(
    model_name="dogs-vs-cats",
    model_version="2026.11.24",
    id="42",
    outputs=[
        ResponseOutput(
            name="probabilities", datatype="FP32", shape=[1, 2], data=[0.942272, 0.057728]
        ),
        ResponseOutput(name="labels", datatype="BYTES", shape=[1], data=["cat"]),
    ],
)
