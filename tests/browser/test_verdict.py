from __future__ import annotations

from typing import Any

import pytest

from tests.browser.visit import Visit


def answer(*scores: float, in_domain: bool | None = True) -> dict[str, Any]:
    predictions = [{"label": f"class {at}", "score": score} for at, score in enumerate(scores)]
    return {**predictions[0], "predictions": predictions, "in_domain": in_domain}


@pytest.mark.parametrize(
    ("given", "kind", "headline", "aside"),
    [
        (answer(0.98, 0.02), "sure", "Class 0", ""),
        (answer(0.98, 0.02, in_domain=None), "sure", "Class 0", ""),
        (answer(0.71, 0.29), "sure", "Class 0", ""),
        (answer(0.69, 0.31), "unsure", "Not sure", "Perhaps class 0, 69%"),
        (answer(0.5, *[0.05] * 10), "sure", "Class 0", ""),
        (answer(0.4, *[0.06] * 10), "unsure", "Not sure", "Perhaps class 0, 40%"),
        (answer(0.62, 0.38, in_domain=False), "neither", "Probably neither", "class 0, 62%"),
        (answer(0.9, 0.1, 0, in_domain=False), "neither", "Probably none of these", "class 0, 90%"),
    ],
)
def test_verdict_says_how_sure_the_answer_is(
    visit: Visit, given: dict[str, Any], kind: str, headline: str, aside: str
) -> None:
    verdict = visit.call("verdict.js", "verdictOf", given)

    assert (verdict["kind"], verdict["headline"]) == (kind, headline)
    assert verdict["aside"].endswith(aside)
    assert bool(verdict["aside"]) == bool(aside)


def test_only_certainty_is_0_or_100_percent(visit: Visit) -> None:
    scores = [0, 0.00001, 0.0081, 0.0951, 0.314, 0.895, 0.984, 0.99999, 1]

    shown = [visit.call("verdict.js", "percent", score) for score in scores]

    assert shown == ["0%", "0.1%", "0.8%", "9.5%", "31%", "90%", "98.4%", "99.9%", "100%"]


def test_summary_counts_the_outcomes(visit: Visit) -> None:
    answers = [answer(0.6, 0.4), answer(0.9, 0.1), answer(0.9, 0.1, in_domain=False), None]

    summary = visit.call("verdict.js", "summaryOf", [*answers, answer(1, 0)])

    assert summary == ("5 pictures: 2 class 0, 1 not sure, 1 probably neither, 1 without an answer")


@pytest.mark.parametrize(
    ("labels", "question"),
    [
        (["cat", "dog"], "Cat or dog?"),
        (["ant", "bee", "wasp"], "Ant, bee, or wasp?"),
        (["a", "b", "c", "d", "e"], "What does it show?"),
    ],
)
def test_question_names_few_classes(visit: Visit, labels: list[str], question: str) -> None:
    assert visit.call("verdict.js", "questionOf", labels) == question
