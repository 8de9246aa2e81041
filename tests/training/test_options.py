from __future__ import annotations

import pytest

from training.options import chosen_recipe, parser
from training.recipe import BEST, SEED, Recipe


def recipe_of(*options: str) -> Recipe:
    return chosen_recipe(parser().parse_args(["train", "--data", "train.zip", *options]))


def test_the_best_recipe_is_the_default() -> None:
    assert recipe_of() == BEST


def test_a_recipe_is_chosen_by_its_name() -> None:
    assert recipe_of("--recipe", "seed") == SEED


def test_any_value_can_be_overridden() -> None:
    values = BEST.as_dict()
    for found_out in ("start", "mean_of"):  # which tests of their own are about
        del values[found_out]
    for name, value in values.items():
        option = "--" + name.replace("_", "-")
        if name == "stages":
            changed: object = ((99, 3.0), (227, 1.0))
            recipe = recipe_of(option, "99:3,227:1")
        elif isinstance(value, bool):
            changed = not value
            recipe = recipe_of(option if changed else option.replace("--", "--no-"))
        elif isinstance(value, str):
            changed = {"adam": "sgd", "one_cycle": "constant"}[value]
            recipe = recipe_of(option, str(changed))
        else:
            changed = (value + 1) / 4 if isinstance(value, float) else value + 1
            recipe = recipe_of(option, str(changed))
        assert recipe == BEST.override({name: changed})


def test_help_tells_what_every_value_of_a_recipe_means(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        parser().parse_args(["train", "--help"])

    told = " ".join(capsys.readouterr().out.split())
    assert "--learning-rate X the peak, where the schedule has one (best: 0.001)" in told
    assert "--flip, --no-flip mirror half of the pictures (best: True)" in told
    assert "their shares of the epochs (best: 131:80,227:30)" in told
    assert told.count("(best: ") == len(BEST.as_dict()) - len({"start", "mean_of"})


@pytest.mark.parametrize("schedule", ["constant", "one_cycle", "cosine"])
def test_any_schedule_can_be_chosen(schedule: str) -> None:
    assert recipe_of("--schedule", schedule).schedule == schedule


@pytest.mark.parametrize("stages", ["99", "99:1,227", "a:1", "99:1:2"])
def test_stages_are_explained(stages: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        recipe_of("--stages", stages)

    assert "write SIDE:SHARE" in capsys.readouterr().err


def test_a_command_is_required(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parser().parse_args([])

    assert "COMMAND" in capsys.readouterr().err
