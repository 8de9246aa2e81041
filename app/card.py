"""The model card: what `models/NAME/model.json` says of the model beside it."""

from __future__ import annotations

import bisect
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from app.errors import ModelCardError

CARD_NAME = "model.json"


def _unique(labels: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(labels)) != len(labels):
        raise ValueError(f"Labels must differ from each other. Received: {labels}")
    return labels


def _ascending(values: tuple[float, ...]) -> tuple[float, ...]:
    if list(values) != sorted(values):
        raise ValueError(f"Quantiles must not fall. Received: {values}")
    return values


def _iso_utc(moment: str) -> str:
    offset = datetime.fromisoformat(moment).utcoffset()
    if offset is None or offset:
        raise ValueError(f"The time must be ISO 8601 in UTC. Received: {moment}")
    return moment


Labels = Annotated[tuple[str, ...], Field(min_length=2), AfterValidator(_unique)]
Count = Annotated[int, Field(ge=0)]
Dimension = Annotated[int, Field(ge=1)]


class _CardPart(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelFile(_CardPart):
    """One file of the model, as it was exported."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: Count


class DataSummary(_CardPart):
    """What the model was trained on."""

    source: str
    counts: dict[str, Count]
    """Images of each label."""
    training: Count
    validation: Count
    split_seed: int
    pictures: str | None = None
    """A digest of their file names and labels, in the order that the split depends on; None where
    it was not taken."""


class Metrics(_CardPart):
    """How one form of the model did on the validation images."""

    accuracy: float = Field(ge=0, le=1)
    log_loss: float = Field(ge=0)
    expected_calibration_error: float | None = Field(default=None, ge=0, le=1)
    images: Count


class Domain(_CardPart):
    """How pictures like those of the training are told from others, by the network's typicality."""

    score: str
    """How typicality is computed, such as "energy"."""
    passing: float = Field(gt=0, lt=1)
    """Share of the validation pictures that are taken as in the domain."""
    quantiles: Annotated[tuple[float, ...], Field(min_length=2), AfterValidator(_ascending)]
    """Of the validation pictures' typicality, at equal steps from the lowest to the highest."""
    threshold: float
    """The least typicality of a picture in the domain."""
    roc_area: dict[str, float]
    """Validation pictures against others, by what the others are; 1 tells them apart perfectly."""
    tried: dict[str, float]
    """The mean of those areas, by score."""

    def holds(self, typicality: float) -> bool:
        """Whether a picture of this typicality is in the domain."""
        return typicality >= self.threshold

    def rank(self, typicality: float) -> float:
        """Share of the validation pictures that are less typical, 0 to 1."""
        above = bisect.bisect_left(self.quantiles, typicality)
        if above in (0, len(self.quantiles)):
            return float(above > 0)
        low, high = self.quantiles[above - 1 : above + 1]
        return (above - (high - typicality) / (high - low)) / (len(self.quantiles) - 1)


class ModelCard(_CardPart):
    """A model: what it is, what it was made from and how good it is."""

    name: str = Field(min_length=1)
    version: str = Field(min_length=1)
    created: Annotated[str, AfterValidator(_iso_utc)]
    """ISO 8601, UTC."""
    labels: Labels
    """In the order of the network's outputs."""
    input_shape: tuple[Dimension, Dimension, Dimension] = (227, 227, 3)
    """Height, width and channels of one uint8 picture."""
    files: dict[str, ModelFile]
    recipe: dict[str, Any]
    data: DataSummary
    temperature: float = Field(default=1.0, gt=0)
    """What the network's logits were divided by, for probabilities that are as often right as they
    say (Guo et al. 2017, section 4.2); folded into the last layer."""
    metrics: dict[str, Metrics]
    domain: Domain | None = None
    """None where the network does not tell how typical a picture is."""
    software: dict[str, str]
    """Versions of what the model was trained and exported with."""


def read_card(folder: Path) -> ModelCard:
    """Read the card of the model in `folder`.

    Raises:
        ModelCardError: There is no card, or it is invalid.
    """
    path = folder / CARD_NAME
    try:
        return ModelCard.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ModelCardError(
            f"The model card {path} cannot be read ({error.strerror}); set ALEXNET_MODEL to a "
            "model's folder, or make one with 'python -m training export'."
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ModelCardError(
            f"The model card {path} is invalid at {place}: {first['msg']}; export the model again."
        ) from error


def verified_file(folder: Path, card: ModelCard, file_name: str) -> Path:
    """Return the path of one of the model's files, once its content is as on the card.

    Raises:
        ModelCardError: The card or the folder lacks the file, or its sha256 differs.
    """
    with _listed_file(folder, card, file_name) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    _check_digest(folder, card, file_name, digest)
    return folder / file_name


def verified_content(folder: Path, card: ModelCard, file_name: str) -> bytes:
    """Return the content of one of the model's files, which is as on the card.

    Raises:
        ModelCardError: As of `verified_file`.
    """
    with _listed_file(folder, card, file_name) as file:
        content = file.read()
    _check_digest(folder, card, file_name, hashlib.sha256(content).hexdigest())
    return content


@contextmanager
def _listed_file(folder: Path, card: ModelCard, file_name: str) -> Iterator[BufferedReader]:
    path = folder / file_name
    if file_name not in card.files:
        raise ModelCardError(
            f"The model card {folder / CARD_NAME} lists no {file_name}; export the model again."
        )
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise ModelCardError(
            f"The model file {path} cannot be read ({error.strerror}); restore it or export the "
            "model again."
        ) from error


def _check_digest(folder: Path, card: ModelCard, file_name: str, digest: str) -> None:
    if digest != card.files[file_name].sha256:
        raise ModelCardError(
            f"The model file {folder / file_name} is not the one on the model card (its sha256 is "
            f"{digest}); restore it or export the model again."
        )
