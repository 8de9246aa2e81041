"""The hyperparameters of a training, as one value that is written beside what it produced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Annotated, Any, Literal

from training.model import FULL_SIDE, SIDES

_BELOW_ONE = (
    *("warmup", "momentum", "label_smoothing", "dropout", "average"),
    *("shear", "zoom", "shift", "colour"),
)

_Schedule = Literal["constant", "one_cycle", "cosine"]
_Stages = tuple[tuple[int, float], ...]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides how a network is trained, but for the data.

    What a value means, `--help` says too.

    Raises:
        ValueError: A value is out of its range.
    """

    optimizer: Annotated[Literal["adam", "sgd"], "sgd has Nesterov momentum"]
    learning_rate: Annotated[float, "the peak, where the schedule has one"]
    schedule: Annotated[_Schedule, "the latter two: up, and down to zero"]
    epochs: Annotated[int, "passes over the training split"]
    batch_size: Annotated[int, "pictures a step"]
    stages: Annotated[_Stages, "sides in pixels, their shares of the epochs"] = ((FULL_SIDE, 1.0),)
    warmup: Annotated[float, "share of all steps spent on the way up"] = 0.0
    momentum: Annotated[float, "of sgd"] = 0.9
    weight_decay: Annotated[float, "decoupled; of kernels, per step and learning rate"] = 0.0
    label_smoothing: Annotated[float, "share of the target spread over all classes"] = 0.0
    width: Annotated[float, "of every hidden layer, as a share of the paper's"] = 1.0
    dropout: Annotated[float, "after each hidden dense layer"] = 0.4
    normalize_all: Annotated[bool, "batch-normalize all hidden layers; folded at export"] = False
    average: Annotated[float, "decay of the weights' moving average (the result); 0: none"] = 0.0
    rotation: Annotated[float, "degrees, either way"] = 15.0
    shear: Annotated[float, "horizontal shift per unit of height, either way"] = 0.1
    zoom: Annotated[float, "relative change of scale, either way"] = 0.2
    shift: Annotated[float, "share of width and of height, either way"] = 0.1
    flip: Annotated[bool, "mirror half of the pictures"] = True
    crop: Annotated[float, "smallest share of the area cut out, at full size; 1: no cropping"] = 1.0
    resample: Annotated[float, "share of pictures that are blurred or sharpened"] = 0.0
    colour: Annotated[float, "relative change of brightness, contrast and saturation"] = 0.0
    erasing: Annotated[float, "share of pictures of which a rectangle is erased"] = 0.0
    mixup: Annotated[float, "alpha of the Beta distribution that blends pictures; 0: not"] = 0.0
    cutmix: Annotated[float, "alpha of the Beta distribution of what is pasted over; 0: not"] = 0.0
    start: Annotated[str, "whose weights are gone on from; none: at random"] = ""
    mean_of: Annotated[str, "trainings whose weights these are the mean of; none: of one"] = ""
    seed: Annotated[int, "of weights, order, dropout and augmentation"] = 1

    def __post_init__(self) -> None:
        for name in ("learning_rate", "epochs", "batch_size", "width"):
            if getattr(self, name) <= 0:
                raise ValueError(f"`{name}` must be above 0. Received: {getattr(self, name)}")
        if self.width * 32 % 1:
            raise ValueError(f"`width` must be a multiple of 1/32. Received: {self.width}")
        for name in _BELOW_ONE:
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(
                    f"`{name}` must be at least 0 and below 1. Received: {getattr(self, name)}"
                )
        for name in ("resample", "erasing"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"`{name}` must be from 0 to 1. Received: {getattr(self, name)}")
        if not 0 <= self.seed < 2**32:
            raise ValueError(f"`seed` must be from 0 to 2^32 - 1. Received: {self.seed}")
        for name in ("weight_decay", "mixup", "cutmix"):
            if getattr(self, name) < 0:
                raise ValueError(f"`{name}` must not be negative. Received: {getattr(self, name)}")
        if not 0 < self.crop <= 1:
            raise ValueError(f"`crop` must be above 0 and at most 1. Received: {self.crop}")
        sides = [side for side, _ in self.stages]
        if not sides or sides != sorted(sides) or sides[-1] != FULL_SIDE or set(sides) - set(SIDES):
            raise ValueError(
                f"`stages` must rise through sides of {SIDES} and end at {FULL_SIDE}. "
                f"Received: {self.stages}"
            )
        if any(share <= 0 for _, share in self.stages):
            raise ValueError(f"Every stage needs a share above 0. Received: {self.stages}")

    def side(self, epoch: int) -> int:
        """The side in pixels of the pictures in an epoch, counted from 0.

        The last epoch is always at full size, however few there are.
        """
        total = sum(share for _, share in self.stages)
        reached = 0.0
        for side, share in self.stages:
            reached += share / total
            if epoch < round(reached * self.epochs) and epoch < self.epochs - 1:
                return side
        return FULL_SIDE

    def as_dict(self) -> dict[str, Any]:
        """The values by name, fit for JSON."""
        return asdict(self)

    def override(self, values: Mapping[str, Any]) -> Recipe:
        """This recipe with some values replaced; those that are None stay as they are."""
        return replace(self, **{name: value for name, value in values.items() if value is not None})

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Recipe:
        """The inverse of `as_dict`, after a passage through JSON.

        Raises:
            ValueError: A name is unknown, or a value out of its range.
        """
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"A recipe has no such values. Received: {sorted(unknown)}")
        stages = tuple((int(side), float(share)) for side, share in values["stages"])
        return cls(**{**values, "stages": stages})


def stages_text(stages: _Stages) -> str:
    """As on the command line: "131:5,227:2"."""
    return ",".join(f"{side}:{share:g}" for side, share in stages)


SEED = Recipe(
    optimizer="adam",
    learning_rate=1e-3,
    schedule="constant",
    epochs=20,
    batch_size=15,
)

BEST = Recipe(
    optimizer="adam",
    learning_rate=1e-3,
    schedule="one_cycle",
    epochs=110,
    batch_size=128,
    # Progressive resizing (Howard 2018; Tan & Le 2021, EfficientNetV2, section 4): most epochs
    # on small pictures, which cost a third, the last ones at full size.
    stages=((131, 80), (227, 30)),
    warmup=0.1,
    weight_decay=0.1,
    label_smoothing=0.1,
    dropout=0.3,
    normalize_all=True,
    rotation=10.0,
    shear=0.05,
    zoom=0.1,
    shift=0.05,
    crop=0.35,
    colour=0.2,
    erasing=0.25,
)

RECIPES = {"seed": SEED, "best": BEST}
