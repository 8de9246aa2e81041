from __future__ import annotations

import json
from typing import Any

import pytest

from training.recipe import BEST, RECIPES, SEED, Recipe


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_recipe_survives_json(recipe: Recipe) -> None:
    assert Recipe.from_dict(json.loads(json.dumps(recipe.as_dict()))) == recipe


def test_the_seed_recipe_is_the_notebooks() -> None:
    assert (SEED.epochs, SEED.dropout, SEED.rotation, SEED.normalize_all) == (20, 0.4, 15, False)
    assert {SEED.side(epoch) for epoch in range(SEED.epochs)} == {227}
    new = ("average", "resample", "colour", "erasing", "mixup", "cutmix")
    assert [getattr(SEED, name) for name in new] == [0] * 6
    assert SEED.crop == 1


def test_overriding_keeps_what_is_not_said() -> None:
    recipe = BEST.override({"epochs": 3, "dropout": None})

    assert (recipe.epochs, recipe.dropout) == (3, BEST.dropout)


@pytest.mark.parametrize(
    ("epochs", "sides"),
    [
        (1, [227]),
        (2, [99, 227]),
        (4, [99, 99, 163, 227]),
        (8, [99, 99, 99, 99, 163, 163, 227, 227]),
    ],
)
def test_stages_share_the_epochs(epochs: int, sides: list[int]) -> None:
    recipe = BEST.override({"epochs": epochs, "stages": ((99, 2), (163, 1), (227, 1))})

    assert [recipe.side(epoch) for epoch in range(epochs)] == sides


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"epochs": 0}, "`epochs` must be above 0. Received: 0"),
        ({"width": 0.3}, "`width` must be a multiple of 1/32. Received: 0.3"),
        ({"learning_rate": -1.0}, "`learning_rate` must be above 0"),
        ({"dropout": 1.0}, "`dropout` must be at least 0 and below 1. Received: 1.0"),
        ({"average": 1.0}, "`average` must be at least 0 and below 1. Received: 1.0"),
        ({"erasing": 1.1}, "`erasing` must be from 0 to 1. Received: 1.1"),
        ({"resample": -0.1}, "`resample` must be from 0 to 1. Received: -0.1"),
        ({"crop": 0.0}, "`crop` must be above 0 and at most 1. Received: 0.0"),
        ({"weight_decay": -0.1}, "`weight_decay` must not be negative"),
        ({"mixup": -0.1}, "`mixup` must not be negative. Received: -0.1"),
        ({"seed": -1}, "`seed` must be from 0 to"),
        ({"seed": 2**32}, "Received: 4294967296"),
        ({"stages": ((99, 1.0),)}, "end at 227"),
        ({"stages": ((227, 1.0), (99, 1.0))}, "must rise"),
        ({"stages": ((100, 1.0), (227, 1.0))}, "sides of"),
        ({"stages": ((99, 0.0), (227, 1.0))}, "share above 0"),
        ({"stages": ()}, "must rise"),
    ],
)
def test_values_out_of_range_are_refused(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        BEST.override(values)


def test_unknown_values_are_refused() -> None:
    with pytest.raises(ValueError, match=r"no such values. Received: \['sparkle'\]"):
        Recipe.from_dict({**BEST.as_dict(), "sparkle": 1})
