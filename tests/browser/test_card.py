from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.app.pictures import RED, picture, sideways_picture
from tests.browser.visit import BLUE_PICTURE, GRID, RED_PICTURE, Visit, text_of, upload

NEARLY_BLACK = upload("night.png", picture((1, 0, 0), file_format="PNG"))
PURPLE = upload("purple.png", picture((120, 20, 125), file_format="PNG"))
TIFF = upload("red.tiff", picture(file_format="TIFF"))
SIDEWAYS = upload("sideways.jpg", sideways_picture())
SIZE = "({ naturalWidth, naturalHeight }) => [naturalWidth, naturalHeight]"


def explanation(width: int, height: int) -> dict[str, object]:
    return {"label": "red", "score": 0.9, "grid": GRID, "image": {"width": width, "height": height}}


def test_bars_are_as_long_as_the_scores_say(visit: Visit) -> None:
    with visit.page.expect_response("**/predict") as answer:
        visit.choose(BLUE_PICTURE)

    lines = visit.card("blue.jpg").locator(".scores li").all()
    predictions = answer.value.json()["predictions"]
    assert [text_of(line, ".label") for line in lines] == ["blue", "red"]
    for line, prediction in zip(lines, predictions, strict=True):
        bar, fill = (line.locator(each).bounding_box() for each in (".bar", ".fill"))
        assert fill["width"] / bar["width"] == pytest.approx(prediction["score"], abs=0.01)


def test_time_is_the_sum_of_its_parts(visit: Visit) -> None:
    with visit.page.expect_response("**/predict") as answer:
        visit.choose(RED_PICTURE)

    took = float(text_of(visit.card("red.jpg"), ".facts summary").removesuffix(" ms"))
    assert took == pytest.approx(sum(answer.value.json()["timing_ms"].values()), abs=0.6)


def test_picture_of_neither_is_called_so(visit: Visit) -> None:
    visit.choose(NEARLY_BLACK)

    assert visit.verdicts() == ["night.png: Probably neither"]
    assert text_of(visit.card("night.png"), ".aside").startswith("Looks most like red, 5")


def test_low_score_is_called_not_sure(visit: Visit) -> None:
    visit.choose(PURPLE)

    assert visit.verdicts() == ["purple.png: Not sure"]
    assert text_of(visit.card("purple.png"), ".aside").startswith("Perhaps blue, 5")


def test_picture_that_the_browser_cannot_draw_is_answered(visit: Visit) -> None:
    visit.choose(TIFF)

    card = visit.card("red.tiff")
    expect(card.get_by_text("No preview of TIFF")).to_be_visible()
    expect(card.get_by_role("img")).to_have_count(0)
    assert visit.verdicts() == ["red.tiff: Red"]


def test_more_than_five_classes_are_folded(visit: Visit) -> None:
    predictions = [{"label": f"class {at}", "score": (9 - at) / 36} for at in range(9)]
    time = {"decode": 1, "queue": 0, "inference": 1}
    image = {"width": 1, "height": 1, "format": "JPEG"}
    visit.answer(
        "/predict",
        {
            **predictions[0],
            "predictions": predictions,
            "in_domain": None,
            "typicality": None,
            "image": image,
            "timing_ms": time,
        },
    )
    visit.choose(RED_PICTURE)

    card = visit.card("red.jpg")
    expect(card.get_by_text("class 4", exact=True)).to_be_visible()
    expect(card.get_by_text("class 5", exact=True)).to_be_hidden()
    card.get_by_text("4 more").click()
    expect(card.get_by_text("class 8", exact=True)).to_be_visible()


def test_why_is_shown_and_hidden(visit: Visit) -> None:
    visit.answer("/explain", explanation(64, 48))
    visit.choose(RED_PICTURE)
    card = visit.card("red.jpg")
    why = card.get_by_role("button", name="Why?")
    heat = card.get_by_role("img", name="Heat map")
    expect(heat).to_be_hidden()

    why.press("Enter")

    expect(why).to_have_attribute("aria-pressed", "true")
    expect(heat).to_be_visible()
    expect(card.locator(".reason")).to_contain_text("top right")
    expect(visit.page.get_by_role("log")).to_contain_text("top right")

    why.press("Enter")

    expect(why).to_have_attribute("aria-pressed", "false")
    expect(heat).to_be_hidden()
    expect(card.locator(".reason")).to_be_hidden()


def test_heat_lies_on_the_picture_as_it_is_turned(visit: Visit) -> None:
    visit.answer("/explain", explanation(48, 64))
    visit.choose(SIDEWAYS)
    card = visit.card("sideways.jpg")
    card.get_by_role("button", name="Why?").click()
    heat, shown = card.get_by_role("img", name="Heat map"), card.get_by_alt_text("sideways.jpg")
    expect(heat).to_be_visible()

    assert shown.evaluate(SIZE) == [48, 64]
    assert heat.evaluate("({ width, height }) => width / height") == 48 / 64
    assert heat.bounding_box() == shown.bounding_box()
    fits = "(each) => getComputedStyle(each).objectFit"
    assert heat.evaluate(fits) == shown.evaluate(fits) == "contain"


def test_service_that_cannot_say_why_is_quoted(visit: Visit) -> None:
    visit.answer("/explain", {"detail": "Too busy to explain."}, status=503)
    visit.choose(RED_PICTURE)
    card = visit.card("red.jpg")

    card.get_by_role("button", name="Why?").click()

    expect(card.get_by_text("Too busy to explain.")).to_be_visible()
    expect(card.get_by_role("img", name="Heat map")).to_be_hidden()
    visit.expected_refusals = [503]


def test_real_service_says_why(visit: Visit) -> None:
    half = Image.new("RGB", (90, 60))
    half.paste(RED, (0, 0, 30, 60))
    file = io.BytesIO()
    half.save(file, "PNG")
    visit.choose(upload("half.png", file.getvalue()))

    visit.card("half.png").get_by_role("button", name="Why?").click()

    words = visit.card("half.png").locator(".reason")
    expect(words).to_contain_text(
        re.compile("Warm speaks for red, most at the (top |bottom )?left")
    )
