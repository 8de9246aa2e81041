from __future__ import annotations

import csv
import io
import re

import pytest
from playwright.sync_api import Route, expect

from tests.app.pictures import BLUE, RED, picture
from tests.browser.visit import BLUE_PICTURE, RED_PICTURE, TEXT, Visit, text_of, upload

SIX = [upload(f"{number}.jpg", picture()) for number in range(6)]


def test_every_file_has_its_own_answer(visit: Visit) -> None:
    visit.choose(RED_PICTURE, TEXT, BLUE_PICTURE)

    assert visit.verdicts() == ["red.jpg: Red", "words.txt: No answer", "blue.jpg: Blue"]
    summary = text_of(visit.page.locator("#results"), "#summary")
    assert summary == "3 pictures: 1 red, 1 without an answer, 1 blue"
    visit.expected_refusals = [415]


def test_error_is_told_in_the_words_of_the_service(visit: Visit) -> None:
    with visit.page.expect_response("**/predict") as answer:
        visit.choose(TEXT)

    expect(visit.card("words.txt").locator(".problem")).to_have_text(answer.value.json()["detail"])
    expect(visit.card("words.txt").get_by_role("button")).to_have_count(0)
    visit.expected_refusals = [415]


def test_new_pictures_come_first(visit: Visit) -> None:
    visit.choose(RED_PICTURE)
    visit.choose(BLUE_PICTURE, upload("third.png", picture(RED, file_format="PNG")))

    assert visit.verdicts() == ["blue.jpg: Blue", "third.png: Red", "red.jpg: Red"]


def test_table_has_a_line_for_each_file(visit: Visit) -> None:
    visit.choose(upload('a "red", one.jpg', picture(RED)), BLUE_PICTURE, TEXT)

    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name="Download CSV").click()

    assert download.value.suggested_filename == "answers.csv"
    assert download.value.path().read_bytes().startswith(b"\xef\xbb\xbf")  # for spreadsheets
    with download.value.path().open(newline="", encoding="utf-8-sig") as file:
        red, blue, text = csv.DictReader(file)
    assert red["file"] == 'a "red", one.jpg'
    assert (red["label"], blue["label"], text["label"]) == ("red", "blue", "")
    assert float(blue["score_blue"]) == float(blue["score"]) > float(blue["score_red"])
    assert (blue["in_domain"], blue["width"], blue["height"]) == ("true", "64", "48")
    assert (blue["format"], blue["model"], blue["version"]) == ("JPEG", "red-or-blue", "1.2.3")
    assert float(blue["inference_ms"]) > 0
    assert (blue["problem"], "not an image" in text["problem"]) == ("", True)
    visit.expected_refusals = [415]


def test_only_pictures_near_the_window_are_kept(visit: Visit) -> None:
    visit.page.set_viewport_size({"width": 400, "height": 400})
    visit.choose(*(upload(f"{number}.jpg", picture()) for number in range(20)))
    first, last = visit.page.locator(".picture").first, visit.page.locator(".picture").last
    expect(first).to_have_attribute("src", re.compile("^blob:"))
    expect(last).not_to_have_attribute("src", re.compile(""))

    last.scroll_into_view_if_needed()

    expect(last).to_have_js_property("naturalWidth", 64)
    expect(first).not_to_have_attribute("src", re.compile(""))


def test_clearing_leaves_nothing(visit: Visit) -> None:
    visit.choose(RED_PICTURE, BLUE_PICTURE)

    visit.page.get_by_role("button", name="Clear").click()

    expect(visit.page.locator(".card")).to_have_count(0)
    expect(visit.page.locator("#results")).to_be_hidden()
    expect(visit.page.locator("#pick")).to_be_focused()


def test_clearing_gives_up_what_was_asked_why(visit: Visit) -> None:
    held = visit.hold("/explain")
    visit.choose(RED_PICTURE, BLUE_PICTURE)
    for name in ("red.jpg", "blue.jpg"):
        visit.card(name).get_by_role("button", name="Why?").click()
    expect(visit.page.get_by_text("Looking why…", exact=True).first).to_be_visible()
    visit.until_held(held, 2)

    with visit.page.expect_event("requestfailed"):
        visit.page.get_by_role("button", name="Clear").click()
    visit.page.unroute_all()
    visit.choose(RED_PICTURE)

    assert visit.verdicts() == ["red.jpg: Red"]


def test_focus_stays_on_the_page_when_its_button_goes_by_itself(visit: Visit) -> None:
    visit.hold("/predict")
    visit.page.locator("#pick").set_input_files([RED_PICTURE])
    visit.page.get_by_role("button", name="Cancel").focus()

    visit.page.unroute_all()
    visit.wait()

    expect(visit.page.get_by_role("button", name="Clear")).to_be_focused()


def test_few_pictures_at_once_and_all_in_the_end(visit: Visit) -> None:
    held = visit.hold("/predict")
    visit.page.locator("#pick").set_input_files(SIX)
    expect(visit.page.locator("#summary")).to_have_text("0 of 6")
    visit.until_held(held, 4)

    held.pop().continue_()
    expect(visit.page.locator("#summary")).to_have_text("1 of 6")
    expect(visit.page.locator("#progress")).to_have_js_property("value", 1)
    visit.page.unroute_all()  # which lets those go on that were held
    visit.wait()

    assert [each.split(": ")[1] for each in visit.verdicts()] == ["Red"] * 6


def test_cancelled_pictures_can_be_tried_again(visit: Visit) -> None:
    visit.hold("/predict")
    visit.page.locator("#pick").set_input_files(SIX)
    visit.page.get_by_role("button", name="Cancel").click()
    visit.wait()

    assert text_of(visit.card("5.jpg"), ".problem") == "Cancelled."
    visit.page.unroute_all()
    visit.card("5.jpg").get_by_role("button", name="Try again").click()
    visit.wait()

    assert text_of(visit.card("5.jpg"), ".verdict") == "Red"
    assert text_of(visit.card("4.jpg"), ".verdict") == "No answer"


def test_overloaded_service_is_asked_again(visit: Visit) -> None:
    refused: list[Route] = []

    def refuse_twice(route: Route) -> None:
        if len(refused) == 2:
            route.continue_()
            return
        refused.append(route)
        route.fulfill(status=503, headers={"Retry-After": "0"}, json={"detail": "Later."})

    visit.page.route("**/predict", refuse_twice)
    visit.choose(BLUE_PICTURE)

    assert visit.verdicts() == ["blue.jpg: Blue"]
    visit.expected_refusals = [503, 503]


def test_service_that_says_not_when_is_asked_again_by_the_person(visit: Visit) -> None:
    visit.answer("/predict", {"detail": "Restart it."}, status=503)
    visit.choose(BLUE_PICTURE)

    assert text_of(visit.card("blue.jpg"), ".problem") == "Restart it."
    expect(visit.card("blue.jpg").get_by_role("button", name="Try again")).to_be_visible()
    visit.expected_refusals = [503]


@pytest.mark.parametrize("body", ["<title>Log in</title>", '{"status": "ok"}', "null"])
def test_an_answer_that_is_not_the_services_is_told(visit: Visit, body: str) -> None:
    visit.page.route("**/predict", lambda route: route.fulfill(body=body))
    visit.choose(BLUE_PICTURE)

    told = "The answer did not arrive whole, or is not the service's."
    assert text_of(visit.card("blue.jpg"), ".problem") == told
    visit.page.unroute_all()
    visit.card("blue.jpg").get_by_role("button", name="Try again").click()
    visit.wait()
    assert text_of(visit.card("blue.jpg"), ".verdict") == "Blue"


def test_table_quotes_what_would_break_it(visit: Visit) -> None:
    entry = {"name": 'a,"b"\n.jpg', "problem": {"message": "No."}}

    (row,) = csv.DictReader(io.StringIO(visit.call("csv.js", "csvOf", [entry]), newline=""))

    assert row["file"] == 'a,"b"\n.jpg'
    assert row["problem"] == "No."


FORMULAS = ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("//evil","x")']


def test_table_holds_no_formulas(visit: Visit) -> None:
    entries = [{"name": f"{each}.jpg", "problem": {"message": each}} for each in FORMULAS]
    answer = {"label": "=1+1", "score": 0.5, "predictions": [{"label": "=1+1", "score": -0.5}]}
    entries.append({"name": "a=b-c.jpg", "answer": answer})

    table = visit.call("csv.js", "csvOf", entries)

    *refused, answered = csv.DictReader(io.StringIO(table, newline=""))
    assert [row["file"] for row in refused] == [f"'{each}.jpg" for each in FORMULAS]
    assert [row["problem"] for row in refused] == [f"'{each}" for each in FORMULAS]
    assert (answered["file"], answered["label"]) == ("a=b-c.jpg", "'=1+1")
    assert answered["score_=1+1"] == "-0.5", "numbers are no formulas"


def test_many_pictures_are_announced_as_one(visit: Visit) -> None:
    visit.choose(*SIX)
    visit.choose(upload("blue.jpg", picture(BLUE)))

    log = visit.page.get_by_role("log").locator("p")
    expect(log).to_have_text(["6 pictures: 6 red", "blue.jpg: Blue"])
