from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.app.pictures import picture
from tests.browser.visit import GRID, RED_PICTURE, TEXT, Visit, upload

UNSURE = upload("purple.png", picture((120, 20, 125), file_format="PNG"))
NEITHER = upload("night.png", picture((1, 0, 0), file_format="PNG"))
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_page_meets_wcag(browser: Browser, service: str, scheme: str, size: dict[str, int]) -> None:
    with browser.new_context(
        color_scheme=scheme, viewport=size, is_mobile=size is PHONE, has_touch=size is PHONE
    ) as context:
        visit = Visit(context.new_page(), service)
        visit.answer("/explain", {"label": "red", "grid": GRID, "image": size})
        visit.open("/")
        assert violations(visit) == []
        visit.choose(RED_PICTURE, UNSURE, NEITHER, TEXT)
        visit.card("red.jpg").get_by_role("button", name="Why?").click()
        expect(visit.card("red.jpg").locator(".reason")).to_be_visible()
        assert violations(visit) == []


def violations(visit: Visit) -> list[str]:
    found = Axe().run(visit.page, options=RULES).response["violations"]
    return [
        f"{each['id']}: {node['failureSummary']} {node['html']}"
        for each in found
        for node in each["nodes"]
    ]


def test_narrow_page_scrolls_in_one_direction(phone_visit: Visit) -> None:
    phone_visit.page.set_viewport_size({"width": 320, "height": 640})
    phone_visit.choose(RED_PICTURE, upload("a-name-without-an-end" * 20 + ".jpg", picture()))

    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert phone_visit.page.evaluate(overflow) == 0


def test_focus_is_seen(visit: Visit) -> None:
    visit.page.keyboard.press("Tab")

    button = visit.page.get_by_text("Choose pictures")
    assert button.evaluate("(each) => getComputedStyle(each).outlineWidth") == "3px"
