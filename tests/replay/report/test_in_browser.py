"""The page of a run in a real Chromium: narrow and wide, light and dark, by keyboard, without any script or request."""

import pytest

from replay.report.html import render


@pytest.fixture
def opened(browser, tmp_path):
    """Opens a result's page: ``opened(result, width, scheme)``; any request or complaint fails the test."""
    contexts, complaints = [], []

    def show(result, width=1200, scheme="light", script=False):
        path = tmp_path / "report.html"
        path.write_text(render(result), encoding="utf-8")
        size = {"width": width, "height": 800}
        context = browser.new_context(viewport=size, color_scheme=scheme, java_script_enabled=script)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: complaints.append(asked.url) if asked.url[:5] not in ("file:", "data:") else 0)
        page.goto(path.as_uri())
        return page

    yield show
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1200, "light")])
def test_nothing_is_wider_than_the_screen(opened, results_by_name, width, scheme):
    for name in ("drifted-by-gate", "hostile"):
        page = opened(results_by_name[name], width, scheme, script=True)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")

        assert page.evaluate("document.documentElement.scrollWidth") <= width, name


def test_numbers_and_names_stay_whole_on_a_phone(opened, results_by_name):
    page = opened(results_by_name["drifted-by-gate"], 360, script=True)
    name = page.locator("tbody th").first

    lines = name.evaluate("one => { const all = document.createRange(); all.selectNodeContents(one);"
                          " return all.getClientRects().length }")  # fmt: skip
    assert (name.inner_text(), lines) == ("glob.coherent", 1)


def test_everything_is_reached_and_opened_by_keyboard_without_a_script(opened, results_by_name):
    page = opened(results_by_name["drifted"])

    assert page.locator("h1").inner_text() == "Drifted: 1 of 2 manifests"
    table = page.locator("article table")
    assert not table.is_visible()
    page.keyboard.press("Tab")  # ids and digests
    page.keyboard.press("Tab")  # scores of what drifted
    page.keyboard.press("Enter")
    assert table.is_visible() and "0.9123" in table.inner_text()


def test_headings_landmarks_and_names(opened, results_by_name):
    page = opened(results_by_name["drifted-by-gate"])

    assert page.locator("html[lang=en]").count() == page.locator("main").count() == page.locator("h1").count() == 1
    assert page.locator("svg:not([aria-label])").count() == page.locator("img:not([alt])").count() == 0
    assert page.locator("section:not([aria-labelledby])").count() == 0


def test_axe_finds_nothing(opened, results_by_name):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for name, width, scheme in (("drifted-by-gate", 360, "dark"), ("hostile", 1200, "light")):
        page = opened(results_by_name[name], width, scheme, script=True)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")

        assert axe.run(page).response["violations"] == [], name
