"""What an evaluation found, in a form to print and in one to keep."""

from __future__ import annotations

from typing import Any, NamedTuple

from training.metrics import Evaluation


class DomainFindings(NamedTuple):
    """How well pictures like those of the training are told from others."""

    passing: float
    """Share of the pictures that are taken as in the domain."""
    roc_area: dict[str, float]
    """The pictures against others, by what the others are."""


class Findings(NamedTuple):
    """All that is measured of a network."""

    evaluation: Evaluation
    views: dict[str, float]
    """Accuracy on the same pictures seen in other ways, by the way."""
    domain: DomainFindings | None
    """None of a network that does not tell how typical a picture is."""


def summary(findings: Findings) -> dict[str, Any]:
    """The figures, fit for JSON."""
    evaluation, domain = findings.evaluation, findings.domain
    reliability = evaluation.reliability
    return {
        "images": evaluation.images,
        "accuracy": evaluation.accuracy,
        "log_loss": evaluation.log_loss,
        "expected_calibration_error": reliability.expected_calibration_error,
        "roc_area": {label: roc.area for label, roc in evaluation.rocs.items()},
        "views": findings.views,
        "domain": None if domain is None else domain._asdict(),
        "labels": list(evaluation.labels),
        "confusion": evaluation.confusion.tolist(),
        "reliability": {
            "confidence": reliability.confidence.tolist(),
            "accuracy": reliability.accuracy.tolist(),
            "counts": reliability.counts.tolist(),
        },
    }


def table(findings: Findings) -> str:
    """The figures and the confusion matrix, for a terminal."""
    evaluation = findings.evaluation
    rows = [("images", f"{evaluation.images}"), *_figures(findings)]
    width = max(len(name) for name, _ in rows)
    figures = [f"{name:<{width}}  {value:>8}" for name, value in rows]
    cell = max(8, *(len(label) + 1 for label in evaluation.labels))
    heading = " " * width + "".join(f"{label:>{cell}}" for label in evaluation.labels)
    confusion = [
        f"{label:<{width}}" + "".join(f"{count:>{cell}}" for count in counts)
        for label, counts in zip(evaluation.labels, evaluation.confusion, strict=True)
    ]
    return "\n".join([*figures, "", "true label by answer:", heading, *confusion])


def _figures(findings: Findings) -> list[tuple[str, str]]:
    evaluation, domain = findings.evaluation, findings.domain
    named = {
        "accuracy": evaluation.accuracy,
        **{f"accuracy, {view}": accuracy for view, accuracy in findings.views.items()},
        "log loss": evaluation.log_loss,
        "expected calibration error": evaluation.reliability.expected_calibration_error,
        **{f"ROC area, {label}": roc.area for label, roc in evaluation.rocs.items()},
    }
    if domain is not None:
        named["in the domain"] = domain.passing
        named |= {f"ROC area, against {kind}": area for kind, area in domain.roc_area.items()}
    return [(name, f"{value:.4f}") for name, value in named.items()]
