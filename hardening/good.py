"""Requests that are answered with predictions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from random import Random
from typing import Any

import httpx

from hardening import bodies
from hardening.reference import Known, Reference
from hardening.trial import Asked, Check, Make, Trial, unexpected

SCORE_TOLERANCE = 0.0001
"""Between answers to one picture: an engine's sums may differ with the size of the batch."""
GRID_TOLERANCE = 0.0003
"""Of a difference between two scores, which is rounded besides."""

_BATCH = 4


def predict(random: Random, reference: Reference) -> Trial:
    """Post a picture as the body."""
    one = random.choice(reference.known)
    return Asked("picture", "/predict", bodies.raw(one.picture), predicts(reference, one))


def predict_chunked(random: Random, reference: Reference) -> Trial:
    """Post a picture without saying how long it is."""
    one = random.choice(reference.known)
    check = predicts(reference, one)
    return Asked("in chunks", "/predict", bodies.raw(one.picture), check, chunked=True)


def predict_form(random: Random, reference: Reference) -> Trial:
    """Post a picture as a form."""
    one = random.choice(reference.known)
    body = bodies.form("file", [one.picture])
    return Asked("form", "/predict", body, predicts(reference, one))


def batch(random: Random, reference: Reference) -> Trial:
    """Post several pictures."""
    some = random.sample(reference.known, _BATCH)

    def check(response: httpx.Response) -> str:
        if not response.is_success:
            return unexpected(response)
        results = response.json()["results"]
        return _compared(reference, some, [each["prediction"] for each in results])

    body = bodies.form("files", [each.picture for each in some])
    return Asked("batch", "/predict/batch", body, check)


def batch_with_a_bad_file(random: Random, reference: Reference) -> Trial:
    """Post several pictures, and between them a file that is none."""
    first, second = random.sample(reference.known, 2)

    def check(response: httpx.Response) -> str:
        if not response.is_success:
            return unexpected(response)
        before, bad, after = response.json()["results"]
        if bad["problem"] is None or bad["problem"]["status"] != 415:
            return f"The bad file is answered with {bad}"
        answers = [each["prediction"] for each in (before, after)]
        return _compared(reference, [first, second], answers)

    body = bodies.form("files", [first.picture, random.randbytes(1000), second.picture])
    return Asked("batch with a bad file", "/predict/batch", body, check)


def explain(random: Random, reference: Reference) -> Trial:
    """Ask for an explanation."""
    one = random.choice([each for each in reference.known if each.grid])
    predicted = predicts(reference, one)

    def check(response: httpx.Response) -> str:
        if wrong := predicted(response):
            return wrong
        grid = response.json()["grid"]
        return _differing(_flat(grid), _flat(one.grid), GRID_TOLERANCE)

    return Asked("explanation", "/explain", bodies.raw(one.picture), check)


def inference(random: Random, reference: Reference) -> Trial:
    """Ask as the Open Inference Protocol does in JSON."""
    some = random.sample(reference.known, random.randint(1, _BATCH))
    body = bodies.inference([each.picture for each in some])
    return Asked("/v2 in JSON", reference.infer_path, body, _infers(some))


def binary_inference(random: Random, reference: Reference) -> Trial:
    """Ask as the Open Inference Protocol does in binary."""
    some = random.sample(reference.known, random.randint(1, _BATCH))
    body = bodies.binary_inference([each.picture for each in some])
    return Asked("/v2 in binary", reference.infer_path, body, _infers(some))


KINDS: Mapping[Make, int] = {
    predict: 36,
    predict_chunked: 10,
    predict_form: 20,
    batch: 8,
    batch_with_a_bad_file: 4,
    explain: 1,
    inference: 10,
    binary_inference: 11,
}
"""And how often each comes, of a hundred times."""


def predicts(reference: Reference, one: Known) -> Check:
    """Return a check for the prediction of a picture."""

    def check(response: httpx.Response) -> str:
        if not response.is_success:
            return unexpected(response)
        return _compared(reference, [one], [response.json()])

    return check


def _infers(some: list[Known]) -> Check:
    def check(response: httpx.Response) -> str:
        if not response.is_success:
            return unexpected(response)
        outputs = {each["name"]: each["data"] for each in response.json()["outputs"]}
        labels = [each.label for each in some]
        if outputs["labels"] != labels:
            return f"The labels are {outputs['labels']}, not {labels}"
        scores = _flat(each.scores for each in some)
        return _differing(outputs["probabilities"], scores, SCORE_TOLERANCE)

    return check


def _compared(reference: Reference, some: list[Known], answers: list[dict[str, Any]]) -> str:
    for one, answer in zip(some, answers, strict=True):
        if answer["label"] != one.label:
            return f"The label is {answer['label']}, not {one.label}"
        if wrong := _differing(reference.scores(answer), one.scores, SCORE_TOLERANCE):
            return wrong
    return ""


def _differing(ours: list[float], theirs: list[float], tolerance: float) -> str:
    largest = max(abs(our - their) for our, their in zip(ours, theirs, strict=True))
    return f"Scores differ by {largest:.4f}" if largest > tolerance else ""


def _flat(rows: Iterable[list[float]]) -> list[float]:
    return [number for row in rows for number in row]
