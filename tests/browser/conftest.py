from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, expect, sync_playwright

from app.main import create_app
from app.settings import Settings
from tests.app.access.keys import KEY
from tests.browser.visit import Visit

# It asks no one for updates and the like: what is requested, the page requests.
ARGUMENTS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)

expect.set_options(timeout=30_000)  # as long as Playwright waits elsewhere: machines may be busy


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("there is no Chromium; on Debian, 'apt-get install chromium' installs it")
    return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Start Chromium, and end it before the tests of another module run an event loop."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def serving(model: Path, **options: Any) -> Iterator[str]:
    """Serve on a free port, and yield the address."""
    app = create_app(Settings(model=model, device="cpu", threads=2, **options))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the service ended"
        time.sleep(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def service(tiny_model: Path) -> Iterator[str]:
    """Serve the tiny model to everybody."""
    with serving(tiny_model) as address:
        yield address


@pytest.fixture(scope="module")
def closed_service(tiny_model: Path) -> Iterator[str]:
    """Serve the tiny model to whoever has the key."""
    with serving(tiny_model, api_keys=KEY) as address:
        yield address


@pytest.fixture
def visit(browser: Browser, service: str) -> Iterator[Visit]:
    """Open the page; at the end, see that it was quiet and spoke with its own host only."""
    with browser.new_context() as context:
        visit = Visit(context.new_page(), service)
        visit.open("/")
        yield visit
        visit.check()


@pytest.fixture
def phone_visit(browser: Browser, service: str) -> Iterator[Visit]:
    """Open the page on a touch screen as narrow as a phone's."""
    screen = {"width": 390, "height": 844}
    with browser.new_context(viewport=screen, is_mobile=True, has_touch=True) as context:
        visit = Visit(context.new_page(), service)
        visit.open("/")
        yield visit
        visit.check()


@pytest.fixture
def closed_visit(browser: Browser, closed_service: str) -> Iterator[Visit]:
    """Open the page of a service that wants a key, which the page learns at once."""
    with browser.new_context() as context:
        visit = Visit(context.new_page(), closed_service)
        visit.expected_refusals = [401]
        visit.open("/")
        yield visit
        visit.check()
