"""The network as it is trained: augmentation in front, loss and optimizer attached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from training.augmentation import Augmentation, RandomAffine
from training.average import Average
from training.colour import RandomColour
from training.erasing import RandomErasing
from training.lookup import Lookup
from training.mixing import RandomMixing
from training.model import FULL_SIDE, build_alexnet
from training.normalization import FusedNormalization
from training.optimizer import make_optimizer
from training.precision import gains_from_xla, precision_scope
from training.recipe import Recipe
from training.reduction import Reduction
from training.resample import RandomResample
from training.waiting import Waiting


class Trainer(keras.Model):
    """A network with everything that it needs while it trains, and only then.

    It is fed what `Batches` gives: pictures and their targets together, because mixing
    changes both. Loss and metrics are taken against the targets as they come out, so that
    under mixing the accuracy of training is that of the label that weighs most.

    Args:
        network: From `build_alexnet`.
        augmentation: Applied to training pictures, in this order.
        mixing: Applied after it.
        average: Follows the network, and answers in its place outside training.
        lookup: Where it is given, positions are fed, not pixels.
    """

    train_function: Any

    def __init__(
        self,
        network: keras.Model,
        *,
        augmentation: list[Augmentation],
        mixing: RandomMixing | None = None,
        average: Average | None = None,
        lookup: Lookup | None = None,
    ) -> None:
        super().__init__(name="trainer")
        self.network = network
        self.augmentation = augmentation
        self.mixing = mixing
        self.average = average
        self.lookup = lookup
        self.reduction = Reduction(self.side)
        self.waiting = Waiting()
        self.built = True  # as its parts are

    @property
    def side(self) -> int:
        """Of the pictures, in pixels."""
        return int(self.network.input_shape[1])

    @property
    def result(self) -> keras.Model:
        """The AlexNet that is validated and kept: the average, where there is one."""
        return self.network if self.average is None else self.average.network

    def call(
        self, batch: tuple[keras.KerasTensor, keras.KerasTensor], training: bool = False
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """From pictures and targets to probabilities, float32 `(n, classes)`, and targets."""
        pictures, targets = batch
        if self.lookup is not None:
            pictures = self.lookup(pictures)
        if not training:
            return self.result(self.reduction(pictures), training=False), targets
        for change in self.augmentation:
            pictures = change(pictures, training=True)
        if self.mixing is not None:
            pictures, targets = self.mixing(pictures, targets, training=True)
        answers = self.network(pictures, training=True)
        if self.average is not None:
            self.average.follow(self.network)
        return answers, targets

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> keras.KerasTensor:
        answers, targets = y_pred
        return super().compute_loss(x, targets, answers, sample_weight, training)

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        answers, targets = y_pred
        metrics: dict[str, Any] = super().compute_metrics(x, targets, answers, sample_weight)
        return metrics

    def make_train_function(self, force: bool = False) -> None:
        """As Keras makes it, but with `waiting` measured."""
        if self.train_function is not None and not force:
            return
        super().make_train_function(force)
        step = self.train_function

        def timed_step(*arguments: Any) -> Any:
            # The last is an iterator over batches; JAX passes its state before it.
            return step(*arguments[:-1], self.waiting.timed(arguments[-1]))

        self.train_function = timed_step


def build_trainer(
    recipe: Recipe,
    *,
    classes: int,
    side: int,
    steps: int,
    policy: str,
    lookup: Lookup | None = None,
) -> Trainer:
    """A compiled trainer.

    Args:
        recipe: The hyperparameters.
        classes: How many.
        side: Of what the network sees, in pixels, whatever the pictures' own.
        steps: Of the whole training, for the learning-rate schedule.
        policy: The Keras dtype policy to compute in.
        lookup: Of all pictures, where they are fed by position.
    """

    def network() -> keras.Model:
        with precision_scope(policy):
            return build_alexnet(
                classes,
                side=side,
                width=recipe.width,
                dropout=recipe.dropout,
                normalize_all=recipe.normalize_all,
                normalization=FusedNormalization,
            )

    keras.utils.set_random_seed(recipe.seed)
    trainer = Trainer(
        network(),
        augmentation=make_augmentation(recipe, side),
        mixing=_make_mixing(recipe),
        average=Average(network(), recipe.average) if recipe.average else None,
        lookup=lookup,
    )
    trainer.compile(
        optimizer=make_optimizer(recipe, steps),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing),
        metrics=[
            keras.metrics.CategoricalAccuracy(name="accuracy"),
            keras.metrics.CategoricalCrossentropy(name="log_loss"),
        ],
        jit_compile=gains_from_xla(),
    )
    trainer.optimizer.build(trainer.trainable_variables)
    return trainer


def make_augmentation(recipe: Recipe, side: int = FULL_SIDE) -> list[Augmentation]:
    """The changes to single pictures that the recipe asks for, in their order.

    The first of them brings pictures to `side`. Where that is below full size, it cuts smaller
    parts out, so that at their largest the things in a picture are as large at every side: a
    network that has seen them so need not learn it anew when the side grows (Touvron et al.
    2019, "Fixing the train-test resolution discrepancy", section 3).
    """
    crop = recipe.crop * (side / FULL_SIDE) ** 2 if recipe.crop < 1 else 1.0
    changes: list[Augmentation] = [
        RandomAffine(
            rotation=recipe.rotation,
            shear=recipe.shear,
            zoom=recipe.zoom,
            shift=recipe.shift,
            flip=recipe.flip,
            crop=crop,
            side=side,
            seed=recipe.seed,
        )
    ]
    # After the affine step, which blurs, and before what paints over.
    if recipe.resample:
        changes.append(RandomResample(recipe.resample, seed=recipe.seed))
    if recipe.colour:
        changes.append(RandomColour(recipe.colour, seed=recipe.seed))
    if recipe.erasing:
        changes.append(RandomErasing(recipe.erasing, seed=recipe.seed))
    return changes


def _make_mixing(recipe: Recipe) -> RandomMixing | None:
    if not recipe.mixup and not recipe.cutmix:
        return None
    return RandomMixing(mixup=recipe.mixup, cutmix=recipe.cutmix, seed=recipe.seed)


def reseed(trainer: Trainer, seed: int, epoch: int) -> None:
    """Make all of an epoch's random numbers depend on `seed` and `epoch` alone.

    A training that is resumed then sees what an undisturbed one sees.
    """
    for position, layer in enumerate(_random_layers(trainer)):
        state = np.random.SeedSequence((seed, epoch, position)).generate_state(2)
        layer.seed_generator.state.assign(state)


def _random_layers(trainer: Trainer) -> Iterator[keras.layers.Layer]:
    yield from trainer.augmentation
    if trainer.mixing is not None:
        yield trainer.mixing
    for layer in trainer.network.layers:
        if hasattr(layer, "seed_generator"):
            yield layer
