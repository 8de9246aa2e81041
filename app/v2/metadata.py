"""What the model takes and gives, in the protocol's words."""

from __future__ import annotations

from app.card import ModelCard
from app.model import Model
from app.v2.protocol import ModelMetadata, TensorMetadata

PIXELS = "pixels"
IMAGE = "image"
PROBABILITIES = "probabilities"
LABELS = "labels"
TYPICALITY = "typicality"
IN_DOMAIN = "in_domain"

ANY_NUMBER = -1


def model_metadata(model: Model) -> ModelMetadata:
    """Describe a model (section Model Metadata)."""
    card = model.card
    return ModelMetadata(
        name=card.name,
        versions=[card.version],
        platform=model.engine.name,
        inputs=inputs_of(card),
        outputs=outputs_of(card),
    )


def inputs_of(card: ModelCard) -> list[TensorMetadata]:
    """Return what a request may send, of which it sends one: pixels, or encoded images."""
    return [
        TensorMetadata(name=PIXELS, datatype="UINT8", shape=[ANY_NUMBER, *card.input_shape]),
        TensorMetadata(name=IMAGE, datatype="BYTES", shape=[ANY_NUMBER]),
    ]


def outputs_of(card: ModelCard) -> list[TensorMetadata]:
    """Return what a response may hold: the domain's where the card has one."""
    probabilities_shape = [ANY_NUMBER, len(card.labels)]
    outputs = [
        TensorMetadata(name=PROBABILITIES, datatype="FP32", shape=probabilities_shape),
        TensorMetadata(name=LABELS, datatype="BYTES", shape=[ANY_NUMBER]),
    ]
    if card.domain is not None:
        outputs += [
            TensorMetadata(name=TYPICALITY, datatype="FP32", shape=[ANY_NUMBER]),
            TensorMetadata(name=IN_DOMAIN, datatype="BOOL", shape=[ANY_NUMBER]),
        ]
    return outputs
