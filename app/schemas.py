"""What the service answers, as JSON."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from app.card import Dimension, ModelCard
from app.job import Prediction
from app.occlusion import Explanation
from app.problems import Problem

Score = Annotated[float, Field(ge=0, le=1, examples=[0.9987])]
Milliseconds = Annotated[float, Field(ge=0, examples=[1.9])]


class LabelScore(BaseModel):
    """One class and its probability."""

    label: str = Field(examples=["cat"])
    score: Score


class ModelName(BaseModel):
    """Which model answered."""

    name: str = Field(examples=["dogs-vs-cats"])
    version: str = Field(examples=["1.0.0"])


class ImageSummary(BaseModel):
    """The picture as it was sent, once upright."""

    width: int = Field(examples=[500], description="In pixels.")
    height: int = Field(examples=[375], description="In pixels.")
    format: str = Field(examples=["JPEG"])


class Timing(BaseModel):
    """Where the time went, in milliseconds."""

    decode: Milliseconds
    queue: Milliseconds = Field(description="Waiting to be decoded, and then for the engine.")
    inference: Milliseconds = Field(
        description="Of the whole batch that the picture was in; of an explanation, of all that "
        "was tried."
    )


class PredictionResponse(BaseModel):
    """What the picture shows."""

    label: str = Field(examples=["cat"], description="The most probable class.")
    score: Score = Field(description="Its probability.")
    predictions: list[LabelScore] = Field(
        description="Every class, the most probable first.",
        examples=[[{"label": "cat", "score": 0.9987}, {"label": "dog", "score": 0.0013}]],
    )
    in_domain: bool | None = Field(
        examples=[True],
        description="Whether the picture is like those that the model was trained on; where it is "
        "not, the label means little. Null from a model that cannot tell.",
    )
    typicality: Annotated[float, Field(ge=0, le=1)] | None = Field(
        examples=[0.42],
        description="Share of the validation pictures that are less typical than this one.",
    )
    model: ModelName
    image: ImageSummary
    timing_ms: Timing

    @classmethod
    def of(cls, card: ModelCard, prediction: Prediction) -> PredictionResponse:
        """Put together an answer, scores rounded to 6 digits and times to 0.1 ms."""
        ranking = sorted(
            (
                LabelScore(label=label, score=round(float(probability), 6))
                for label, probability in zip(card.labels, prediction.probabilities, strict=True)
            ),
            key=lambda each: each.score,
            reverse=True,
        )
        image = prediction.image
        in_domain, typicality = _domain(card, prediction)
        return cls(
            label=ranking[0].label,
            score=ranking[0].score,
            predictions=ranking,
            in_domain=in_domain,
            typicality=typicality,
            model=ModelName(name=card.name, version=card.version),
            image=ImageSummary(width=image.width, height=image.height, format=image.format),
            timing_ms=Timing(
                decode=round(prediction.decode_ms, 1),
                queue=round(prediction.queue_ms, 1),
                inference=round(prediction.inference_ms, 1),
            ),
        )


class ExplanationResponse(PredictionResponse):
    """What the picture shows, and where."""

    grid: list[list[Annotated[float, Field(ge=-1, le=1)]]] = Field(
        description="How much of the score is lost when a region is hidden, row by row from the "
        "top of the upright picture; where it is positive, the region speaks for the label.",
        examples=[[[0.0102, 0.3127], [-0.0021, 0.0214]]],
    )

    @classmethod
    def explaining(cls, card: ModelCard, explanation: Explanation) -> ExplanationResponse:
        """Put together an answer, the grid's numbers rounded to 4 digits."""
        answer = PredictionResponse.of(card, explanation.prediction)
        grid = explanation.grid.round(4) + 0.0  # which makes 0 of -0
        return cls(**dict(answer), grid=grid.tolist())


def _domain(card: ModelCard, prediction: Prediction) -> tuple[bool | None, float | None]:
    if card.domain is None or prediction.typicality is None:
        return None, None
    return (
        card.domain.holds(prediction.typicality),
        round(card.domain.rank(prediction.typicality), 4),
    )


class BatchResult(BaseModel):
    """One file of several: what it shows or why that is not known; the other one is null."""

    filename: str = Field(examples=["photo.jpg"], description="As the client called the file.")
    prediction: PredictionResponse | None = None
    problem: Problem | None = None


class BatchResponse(BaseModel):
    """What the pictures show."""

    results: list[BatchResult] = Field(description="Of every file, in the order of the request.")


class ServedModel(ModelCard):
    """The model card, and what runs the model."""

    input_shape: tuple[Dimension, Dimension, Dimension] = Field(
        default=(227, 227, 3),
        description="Height, width and channels of one uint8 picture.",
        json_schema_extra={"items": {"type": "integer"}},  # linters look for it in any array
    )
    engine: str = Field(examples=["LiteRT"])
    device: str = Field(examples=["cpu"])


class Health(BaseModel):
    """How the service is."""

    status: Literal["live", "ready"]
