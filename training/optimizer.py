"""The optimizer and learning-rate schedule that a recipe asks for."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from training.recipe import Recipe


@keras.saving.register_keras_serializable(package="training")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Linear from 1/25 of the peak up to it, then linear down to zero.

    Smith & Topin 2018, "Super-Convergence"; that the way down ends at zero, in a line,
    serves short trainings best (Defazio et al. 2023, "When, Why and How Much?").

    Args:
        peak: The largest learning rate.
        steps: In all.
        warmup: The share of `steps` on the way up.
    """

    def __init__(self, peak: float, steps: int, warmup: float) -> None:
        self.peak = peak
        self.steps = steps
        self.warmup = warmup

    def __call__(self, step: keras.KerasTensor) -> keras.KerasTensor:
        done = ops.minimum(ops.cast(step, "float32") / self.steps, 1.0)
        rise = 0.04 + 0.96 * done / max(self.warmup, 1e-9)
        fall = self._fall((1.0 - done) / (1.0 - self.warmup))
        return self.peak * ops.where(done < self.warmup, rise, fall)

    def _fall(self, left: keras.KerasTensor) -> keras.KerasTensor:
        """The share of the peak, where `left` of the way down is still to go, from 1 to 0."""
        return left

    def get_config(self) -> dict[str, Any]:
        return {"peak": self.peak, "steps": self.steps, "warmup": self.warmup}


@keras.saving.register_keras_serializable(package="training")
class Cosine(OneCycle):
    """Up like `OneCycle`, then down to zero along half a cosine.

    Loshchilov & Hutter 2017, "SGDR", equation 5, without its restarts.
    """

    def _fall(self, left: keras.KerasTensor) -> keras.KerasTensor:
        return (1.0 - ops.cos(math.pi * left)) / 2


_SCHEDULES = {"one_cycle": OneCycle, "cosine": Cosine}


def make_optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """An optimizer for `steps` steps in all; biases and normalizations do not decay."""
    rate: float | OneCycle = recipe.learning_rate
    if recipe.schedule in _SCHEDULES:
        rate = _SCHEDULES[recipe.schedule](recipe.learning_rate, steps, recipe.warmup)
    decay = recipe.weight_decay or None
    optimizer: keras.optimizers.Optimizer
    if recipe.optimizer == "sgd":
        optimizer = keras.optimizers.SGD(
            rate, momentum=recipe.momentum, nesterov=True, weight_decay=decay
        )
    else:
        optimizer = keras.optimizers.Adam(rate, weight_decay=decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
