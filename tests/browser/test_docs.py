from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.app.access.keys import KEY
from tests.browser.visit import BLUE_PICTURE, Visit


@pytest.fixture(params=["service", "closed_service"])
def docs(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Visit]:
    with browser.new_context() as context:
        visit = Visit(context.new_page(), request.getfixturevalue(request.param))
        visit.open("/docs")
        yield visit
        visit.check()


def upload_a_picture(visit: Visit) -> Locator:
    """Try `/predict`, and return where its answer is shown."""
    heading = visit.page.locator("[data-path='/predict']")
    operation = visit.page.locator(".opblock", has=heading)
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.locator("input[type=file]").set_input_files(BLUE_PICTURE)
    operation.get_by_role("button", name="Execute").click()
    return operation.locator(".live-responses-table tbody .response-col_description")


@pytest.mark.parametrize("docs", ["service"], indirect=True)
def test_swagger_ui_uploads_a_picture(docs: Visit) -> None:
    expect(upload_a_picture(docs)).to_contain_text('"label": "blue"')
    expect(docs.page.get_by_role("button", name="Authorize")).to_have_count(0)


@pytest.mark.parametrize("docs", ["closed_service"], indirect=True)
@pytest.mark.parametrize("scheme", ["ApiKey", "Bearer"])
def test_swagger_ui_shows_a_key(docs: Visit, scheme: str) -> None:
    docs.page.get_by_role("button", name="Authorize").click()
    dialog = docs.page.locator(".auth-container", has=docs.page.get_by_text(scheme, exact=True))
    dialog.locator("input").fill(KEY)
    dialog.get_by_role("button", name="Apply credentials").click()
    dialog.get_by_role("button", name="Close").click()

    expect(upload_a_picture(docs)).to_contain_text('"label": "blue"')


@pytest.mark.parametrize("docs", ["closed_service"], indirect=True)
def test_swagger_ui_without_a_key_is_refused(docs: Visit) -> None:
    expect(upload_a_picture(docs)).to_contain_text("/problems/missing-key")
    docs.expected_refusals = [401]


def test_page_leads_to_swagger_ui(visit: Visit) -> None:
    visit.page.get_by_role("link", name="API documentation").click()

    expect(visit.page.locator(".swagger-ui .opblock").first).to_be_visible()
