from __future__ import annotations

from training.progress import plan_lines


def test_steps_are_told_before_they_are_taken() -> None:
    assert plan_lines(18_400, 143, 43) == (
        "18400 pictures to train on; steps an epoch: 143, in all: 6149"
    )


def test_where_there_are_few_steps_the_remedy_is_told() -> None:
    plan, advice = plan_lines(160, 1, 43).split("\n")

    assert plan == "160 pictures to train on; steps an epoch: 1, in all: 43"
    assert "smaller --batch-size or more --epochs" in advice
