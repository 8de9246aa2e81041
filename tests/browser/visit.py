"""What a person does on the page, and what the browser notes of it."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import ConsoleMessage, FilePayload, Locator, Page, Route, expect

from tests.app.pictures import BLUE, RED, picture

REFUSED = re.compile(r"the server responded with a status of (\d+)")
"""Chromium's own message on every answer that is an error, which no page can prevent."""

GRID = [[0.0] * 8 for _ in range(8)]
GRID[0][7] = 0.31
GRID[7][0] = -0.1


def upload(name: str, data: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


RED_PICTURE = upload("red.jpg", picture(RED))
BLUE_PICTURE = upload("blue.jpg", picture(BLUE))
TEXT = upload("words.txt", b"a cat, in words")


class Visit:
    """A page of the service in a tab of its own."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.expected_refusals: list[int] = []
        self._refusals: list[int] = []
        self._messages: list[str] = []
        self._requests: list[str] = []
        page.on("console", self._note)
        page.on("pageerror", lambda error: self._messages.append(str(error)))
        page.on("request", lambda request: self._requests.append(request.url))

    def open(self, path: str) -> None:
        self.page.goto(self.address + path)

    def choose(self, *files: FilePayload) -> None:
        """Choose the files, and wait until each is answered."""
        self.page.locator("#pick").set_input_files(list(files))
        self.wait()

    def wait(self) -> None:
        expect(self.page.locator("#progress")).to_be_hidden()
        expect(self.page.locator("[data-state=waiting]")).to_have_count(0)

    def card(self, name: str) -> Locator:
        return self.page.locator(".card", has=self.page.get_by_text(name, exact=True))

    def verdicts(self) -> list[str]:
        """Return file name and verdict of each card, as they stand on the page."""
        cards = self.page.locator(".card").all()
        return [f"{text_of(each, '.name')}: {text_of(each, '.verdict')}" for each in cards]

    def call(self, module: str, function: str, *arguments: Any) -> Any:
        """Return what a function of one of the page's modules returns."""
        return self.page.evaluate(
            "async ([module, name, given]) => (await import(`/page/${module}`))[name](...given)",
            [module, function, arguments],
        )

    def answer(self, path: str, answer: dict[str, Any], **options: Any) -> None:
        """Answer the page's requests to a path in the service's place."""
        self.page.route(
            f"{self.address}{path}", lambda route: route.fulfill(json=answer, **options)
        )

    def hold(self, path: str) -> list[Route]:
        """Leave the page's requests to a path without an answer, and return them as they come."""
        held: list[Route] = []
        self.page.route(f"{self.address}{path}", lambda route: held.append(route))
        return held

    def until_held(self, held: list[Route], count: int) -> None:
        """Return once so many of the page's requests are held, and no more of them come."""
        for _ in range(3000):
            if len(held) >= count:
                break
            self.page.wait_for_timeout(10)
        self.page.evaluate("fetch('/health/live').then((answer) => answer.text())")
        assert len(held) == count

    def check(self) -> None:
        """See that the page said nothing in the console, and asked nobody else for anything."""
        assert self._messages == []
        assert self._refusals == self.expected_refusals
        own = (self.address, "blob:", "data:")
        assert [each for each in self._requests if not each.startswith(own)] == []

    def _note(self, message: ConsoleMessage) -> None:
        if refused := REFUSED.search(message.text):
            self._refusals.append(int(refused[1]))
        else:
            self._messages.append(message.text)


def text_of(place: Locator, selector: str) -> str:
    return place.locator(selector).inner_text()
