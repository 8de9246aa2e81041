from __future__ import annotations

import re
from html.parser import HTMLParser

import httpx
import pytest

from app.main import create_app
from app.page import FOLDER
from app.settings import Settings
from tests.app.client import assert_problem
from tests.app.conftest import Load, serving

pytestmark = pytest.mark.anyio

KILOBYTE = 1000
TYPES = {
    ".html": {"text/html"},
    ".css": {"text/css"},
    ".js": {"text/javascript", "application/javascript"},
    ".svg": {"image/svg+xml"},
}
FILES = sorted(file.name for file in FOLDER.iterdir())
every_file = pytest.mark.parametrize("name", FILES)


class Markup(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src"}]


async def test_root_is_the_page(fake_client: httpx.AsyncClient) -> None:
    response = await fake_client.get("/")

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "unsafe" not in response.headers["content-security-policy"]
    assert response.text == (FOLDER / "index.html").read_text(encoding="utf-8")


async def test_all_that_the_page_names_is_served(fake_client: httpx.AsyncClient) -> None:
    addresses = Markup((await fake_client.get("/")).text).addresses

    assert "docs" in addresses
    for address in addresses:
        assert (await fake_client.get("/" + address)).status_code == 200


async def test_markup_has_no_style_and_no_script_of_its_own(
    fake_client: httpx.AsyncClient,
) -> None:
    markup = (await fake_client.get("/")).text

    assert not re.search(r"<style|<script(?![^>]* src=)", markup)
    attributes = Markup(markup).attributes
    assert "style" not in attributes
    assert not [name for name in attributes if name.startswith("on")]


@every_file
async def test_file_has_its_type_and_is_kept_until_it_changes(
    fake_client: httpx.AsyncClient, name: str
) -> None:
    response = await fake_client.get(f"/page/{name}")
    again = await fake_client.get(
        f"/page/{name}", headers={"If-None-Match": response.headers["etag"]}
    )

    assert response.headers["content-type"].split(";")[0] in TYPES["." + name.rsplit(".")[-1]]
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert again.status_code == 304


@every_file
def test_file_names_no_other_host(name: str) -> None:
    addresses = re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]+\S*", (FOLDER / name).read_text())

    assert [each for each in addresses if "www.w3.org" not in each] == []


def test_page_is_under_100_kilobytes() -> None:
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 100 * KILOBYTE


async def test_missing_file_is_a_problem(fake_client: httpx.AsyncClient) -> None:
    assert_problem(await fake_client.get("/page/nothing.js"), 404, "Not Found")


async def test_page_is_not_in_the_documented_api(fake_client: httpx.AsyncClient) -> None:
    assert "/" not in (await fake_client.get("/openapi.json")).json()["paths"]


async def test_page_without_docs_differs_in_the_link_alone(
    settings: Settings, fake_load: Load
) -> None:
    without = settings.model_copy(update={"docs": False})
    async with serving(create_app(without, fake_load)) as client:
        response = await client.get("/")

    markup = (FOLDER / "index.html").read_text(encoding="utf-8")
    before, link, after = markup.partition('<a href="docs">API documentation</a>')
    assert link
    assert response.text == before + after
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert "script-src 'self'" in response.headers["content-security-policy"]


@pytest.mark.parametrize("wanted", ["lines=1", "bytes=x-", "bytes=99999999-", "bytes=0-1"])
async def test_files_are_sent_whole(fake_client: httpx.AsyncClient, wanted: str) -> None:
    whole = await fake_client.get("/page/main.js")
    asked = await fake_client.get("/page/main.js", headers={"Range": wanted})

    assert asked.status_code == 200
    assert asked.content == whole.content
