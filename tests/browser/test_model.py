from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.visit import Visit


def test_head_tells_the_model_and_what_runs_it(visit: Visit) -> None:
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("Red or blue?")
    expect(visit.page).to_have_title("Red or blue? AlexNet")
    expect(visit.page.locator("#model")).to_have_text("red-or-blue 1.2.3 · LiteRT on cpu")


def test_accuracy_is_that_of_what_is_served(visit: Visit) -> None:
    metrics = {
        "float": {"accuracy": 0.9, "images": 4600},
        "litert_int8": {"accuracy": 0.8949, "images": 4600},
    }
    model = {"name": "m", "version": "1", "labels": ["a", "b"], "metrics": metrics}
    visit.answer("/models", {**model, "engine": "LiteRT", "device": "cpu"})
    visit.open("/")

    line = visit.page.locator("#model")
    expect(line).to_have_text("m 1 · 89.5% of 4,600 validation pictures right · LiteRT on cpu")


def test_model_that_is_not_ready_is_told(visit: Visit) -> None:
    visit.answer("/models", {"detail": "The model is being loaded."}, status=503)
    visit.open("/")

    expect(visit.page.locator("#model")).to_have_text("The model is being loaded.")
    visit.expected_refusals = [503]
