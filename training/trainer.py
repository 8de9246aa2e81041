"""The network as it is trained: augmentation in front, loss and optimizer attached."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np

from training.augmentation import RandomAffine
from training.model import build_alexnet
from training.optimizer import make_optimizer
from training.precision import gains_from_xla, precision_scope
from training.recipe import Recipe


def build_trainer(
    recipe: Recipe, *, classes: int, side: int, steps: int, policy: str
) -> keras.Model:
    """A compiled model from uint8 pixels to probabilities that augments while it trains.

    Args:
        recipe: The hyperparameters.
        classes: How many.
        side: Of the pictures, in pixels.
        steps: Of the whole training, for the learning-rate schedule.
        policy: The Keras dtype policy to compute in.
    """
    keras.utils.set_random_seed(recipe.seed)
    with precision_scope(policy):
        network = build_alexnet(
            classes,
            side=side,
            width=recipe.width,
            dropout=recipe.dropout,
            normalize_all=recipe.normalize_all,
        )
    augmentation = make_augmentation(recipe)
    pixels = keras.Input((side, side, 3), dtype="uint8", name="pixels")
    trainer = keras.Model(pixels, network(augmentation(pixels)), name="trainer")
    trainer.compile(
        optimizer=make_optimizer(recipe, steps),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing),
        metrics=[
            keras.metrics.CategoricalAccuracy(name="accuracy"),
            keras.metrics.CategoricalCrossentropy(name="log_loss"),
        ],
        jit_compile=gains_from_xla(policy),
    )
    trainer.optimizer.build(trainer.trainable_variables)
    return trainer


def make_augmentation(recipe: Recipe) -> RandomAffine:
    """The augmentation that the recipe asks for."""
    return RandomAffine(
        rotation=recipe.rotation,
        shear=recipe.shear,
        zoom=recipe.zoom,
        shift=recipe.shift,
        flip=recipe.flip,
        seed=recipe.seed,
        name="augmentation",
    )


def network_of(trainer: keras.Model) -> keras.Model:
    """The AlexNet inside a trainer."""
    return trainer.get_layer("alexnet")


def reseed(trainer: keras.Model, seed: int, epoch: int) -> None:
    """Make all of an epoch's random numbers depend on `seed` and `epoch` alone.

    A training that is resumed then sees what an undisturbed one sees.
    """
    for position, layer in enumerate(_random_layers(trainer)):
        state = np.random.SeedSequence((seed, epoch, position)).generate_state(2)
        layer.seed_generator.state.assign(state)


def _random_layers(trainer: keras.Model) -> Iterator[keras.layers.Layer]:
    for layer in (*trainer.layers, *network_of(trainer).layers):
        if hasattr(layer, "seed_generator"):
            yield layer
