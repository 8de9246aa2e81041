from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.browser.visit import BLUE_PICTURE, Visit


def test_swagger_ui_uploads_a_picture(browser: Browser, service: str) -> None:
    with browser.new_context() as context:
        visit = Visit(context.new_page(), service)
        visit.open("/docs")
        heading = visit.page.locator("[data-path='/predict']")
        operation = visit.page.locator(".opblock", has=heading)
        operation.locator(".opblock-summary-control").click()
        operation.get_by_role("button", name="Try it out").click()
        operation.locator("input[type=file]").set_input_files(BLUE_PICTURE)
        operation.get_by_role("button", name="Execute").click()

        answer = operation.locator(".live-responses-table tbody .response-col_description")
        expect(answer).to_contain_text('"label": "blue"')
        visit.check()


def test_page_leads_to_swagger_ui(visit: Visit) -> None:
    visit.page.get_by_role("link", name="API documentation").click()

    expect(visit.page.locator(".swagger-ui .opblock").first).to_be_visible()
