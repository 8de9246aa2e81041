from __future__ import annotations

import base64

import pytest
from playwright.sync_api import expect

from tests.browser.visit import BLUE_PICTURE, RED_PICTURE, Visit

GIVE = """([type, files]) => {
    const transfer = new DataTransfer();
    for (const [name, data] of files) {
        const bytes = Uint8Array.from(atob(data), (each) => each.charCodeAt(0));
        transfer.items.add(new File([bytes], name));
    }
    const event = type === "drop"
        ? new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true })
        : new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true });
    document.body.dispatchEvent(event);
}"""


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_pictures_are_dropped_and_pasted(visit: Visit, way: str) -> None:
    files = [
        (each["name"], base64.b64encode(each["buffer"]).decode())
        for each in (RED_PICTURE, BLUE_PICTURE)
    ]
    visit.page.evaluate(GIVE, [way, files])
    expect(visit.page.locator(".card")).to_have_count(2)
    visit.wait()

    assert visit.verdicts() == ["red.jpg: Red", "blue.jpg: Blue"]


FOLDER = """([names, data]) => {
    const bytes = Uint8Array.from(atob(data), (each) => each.charCodeAt(0));
    const fileOf = (path) => ({
        isFile: true,
        isDirectory: false,
        fullPath: path,
        file: (done, failed) => path.includes("broken")
            ? failed(new DOMException("A link to nothing", "NotFoundError"))
            : done(new File([bytes], path.split("/").pop())),
    });
    const portions = [names.map(fileOf), []];
    const folder = {
        isFile: false,
        isDirectory: true,
        createReader: () => ({ readEntries: (done) => done(portions.shift()) }),
    };
    const event = new Event("drop", { bubbles: true, cancelable: true });
    event.dataTransfer = { files: [], items: [{ webkitGetAsEntry: () => folder }] };
    document.body.dispatchEvent(event);
}"""


def test_folders_are_searched_for_pictures_whatever_the_browser_knows_of_them(visit: Visit) -> None:
    """Files as Chromium has them from folders: without a type, where it knows none."""
    names = ["/a/1.HEIC", "/a/b/1.jpg", "/a/broken.jpg", "/a/list.txt"]
    visit.page.evaluate(FOLDER, [names, base64.b64encode(RED_PICTURE["buffer"]).decode()])
    expect(visit.page.locator(".card")).to_have_count(2)
    visit.wait()

    assert visit.verdicts() == ["a/1.HEIC: Red", "a/b/1.jpg: Red"]
    expect(visit.page.locator("#left-out")).to_have_text("What could not be read: 1.")
    visit.choose(BLUE_PICTURE)
    expect(visit.page.locator("#left-out")).to_be_hidden()


def test_a_folder_without_pictures_is_told(visit: Visit) -> None:
    visit.page.evaluate(FOLDER, [["/a/list.txt"], ""])

    told = "There is no picture in what was dropped."
    expect(visit.page.locator("#left-out")).to_have_text(told)
    expect(visit.page.get_by_role("log")).to_have_text(told)


def test_pasted_text_is_left_alone(visit: Visit) -> None:
    visit.page.evaluate(GIVE, ["paste", []])

    expect(visit.page.locator("#results")).to_be_hidden()


def test_keyboard_alone_does_it_all(visit: Visit) -> None:
    press = visit.page.keyboard.press
    # From before the page opens: Chromium is told in passing to leave the dialog to this test.
    visit.page.on("filechooser", lambda _: None)
    visit.open("/")
    press("Tab")
    expect(visit.page.locator("#pick")).to_be_focused()
    with visit.page.expect_file_chooser() as chooser:
        press("Enter")
    assert chooser.value.is_multiple()
    chooser.value.set_files([RED_PICTURE, BLUE_PICTURE])
    visit.wait()

    press("Tab")
    expect(visit.page.get_by_role("button", name="Download CSV")).to_be_focused()
    with visit.page.expect_download():
        press("Enter")
    press("Tab")
    expect(visit.page.get_by_role("button", name="Clear")).to_be_focused()
    press("Tab")
    expect(visit.card("red.jpg").get_by_role("button", name="Why?")).to_be_focused()
    press("Tab")
    press("Enter")
    expect(visit.card("red.jpg").get_by_text("48, JPEG")).to_be_visible()


def test_same_file_may_be_chosen_twice(visit: Visit) -> None:
    visit.choose(RED_PICTURE)
    visit.choose(RED_PICTURE)

    assert visit.verdicts() == ["red.jpg: Red", "red.jpg: Red"]


def test_phone_takes_a_photo(phone_visit: Visit) -> None:
    camera = phone_visit.page.get_by_label("Take a photo")
    assert camera.get_attribute("capture") == "environment"
    expect(phone_visit.page.get_by_text("Take a photo")).to_be_visible()

    camera.set_input_files([RED_PICTURE])
    phone_visit.wait()

    assert phone_visit.verdicts() == ["red.jpg: Red"]


def test_screen_without_touch_offers_no_camera(visit: Visit) -> None:
    expect(visit.page.get_by_text("Take a photo")).to_be_hidden()
