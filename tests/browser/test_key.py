from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Route, expect

from tests.app.access.keys import KEY, WRONG_KEY
from tests.browser.visit import BLUE_PICTURE, RED_PICTURE, Visit

STORED = "Object.values(sessionStorage)"


def key_field(visit: Visit) -> Locator:
    return visit.page.get_by_label("Key", exact=True)


def give(visit: Visit, key: str) -> None:
    key_field(visit).fill(key)
    visit.page.get_by_role("button", name="Use this key").click()


def test_key_is_asked_for_once_and_sent_with_everything(closed_visit: Visit) -> None:
    expect(key_field(closed_visit)).to_be_focused()

    give(closed_visit, KEY)

    expect(key_field(closed_visit)).to_be_hidden()
    expect(closed_visit.page.locator("#pick")).to_be_focused()
    expect(closed_visit.page.locator("#model")).to_contain_text("red-or-blue")
    closed_visit.choose(RED_PICTURE)
    assert closed_visit.verdicts() == ["red.jpg: Red"]


def test_key_lasts_as_long_as_the_tab(closed_visit: Visit) -> None:
    give(closed_visit, f" {KEY}\n")
    expect(closed_visit.page.locator("#model")).to_contain_text("red-or-blue")

    closed_visit.open("/")

    expect(closed_visit.page.locator("#model")).to_contain_text("red-or-blue")
    expect(key_field(closed_visit)).to_be_hidden()
    assert closed_visit.page.evaluate(STORED) == [KEY]
    assert closed_visit.page.evaluate("localStorage.length") == 0
    assert closed_visit.page.context.cookies() == []


def test_wrong_key_is_told_and_not_kept(closed_visit: Visit) -> None:
    give(closed_visit, WRONG_KEY)

    expect(closed_visit.page.get_by_role("alert")).to_have_text(
        "The service does not take this key."
    )
    expect(key_field(closed_visit)).to_have_attribute("aria-invalid", "true")
    assert closed_visit.page.evaluate(STORED) == []

    give(closed_visit, "a clé")
    expect(closed_visit.page.get_by_role("alert")).to_contain_text("no spaces")

    give(closed_visit, KEY)
    expect(closed_visit.page.locator("#model")).to_contain_text("red-or-blue")
    closed_visit.expected_refusals = [401, 401]


def test_pictures_wait_for_the_key(closed_visit: Visit) -> None:
    expect(key_field(closed_visit)).to_be_visible()
    closed_visit.page.locator("#pick").set_input_files([RED_PICTURE, BLUE_PICTURE])
    expect(closed_visit.page.locator("[data-state=waiting]")).to_have_count(2)

    give(closed_visit, KEY)
    closed_visit.wait()

    assert closed_visit.verdicts() == ["red.jpg: Red", "blue.jpg: Blue"]


def test_waiting_for_the_key_can_be_cancelled(closed_visit: Visit) -> None:
    expect(key_field(closed_visit)).to_be_visible()
    closed_visit.page.locator("#pick").set_input_files([RED_PICTURE] * 6)

    closed_visit.page.get_by_role("button", name="Cancel").click()
    closed_visit.wait()

    assert closed_visit.verdicts() == ["red.jpg: No answer"] * 6
    expect(key_field(closed_visit)).to_be_visible()


def test_key_that_is_taken_no_more_is_asked_for_again(closed_visit: Visit) -> None:
    give(closed_visit, KEY)
    expect(closed_visit.page.locator("#model")).to_contain_text("red-or-blue")
    refused: list[Route] = []

    def refuse_once(route: Route) -> None:
        if refused:
            route.continue_()
            return
        refused.append(route)
        route.fulfill(status=401, json={"detail": "No."})

    closed_visit.page.route("**/predict", refuse_once)
    closed_visit.page.locator("#pick").set_input_files([RED_PICTURE])
    expect(closed_visit.page.get_by_role("alert")).to_contain_text("any more")

    give(closed_visit, KEY)
    closed_visit.wait()

    assert closed_visit.verdicts() == ["red.jpg: Red"]
    closed_visit.expected_refusals = [401, 401]


def test_key_is_kept_where_the_service_has_another_problem(closed_visit: Visit) -> None:
    expect(key_field(closed_visit)).to_be_visible()
    closed_visit.page.route("**/models", lambda route: route.fulfill(status=503, json={}))

    give(closed_visit, KEY)

    expect(key_field(closed_visit)).to_be_hidden()
    expect(closed_visit.page.locator("#model")).to_contain_text("503")
    closed_visit.expected_refusals = [401, 503, 503]


def test_form_meets_wcag(closed_visit: Visit) -> None:
    give(closed_visit, WRONG_KEY)
    expect(closed_visit.page.get_by_role("alert")).to_be_visible()

    assert Axe().run(closed_visit.page).response["violations"] == []
    closed_visit.expected_refusals = [401, 401]
