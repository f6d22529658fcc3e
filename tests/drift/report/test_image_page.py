"""The report of two pictures: its views, in a real Chromium by keyboard, at two widths, with no request anywhere."""

import re

import numpy as np
import pytest
from PIL import Image

from drift.compare import compare
from drift.report.page import render


@pytest.fixture
def opened(browser, tmp_path):
    """Opens a comparison's page: ``opened(comparison, width)``; any request or complaint fails the test."""
    pages, complaints = [], []

    def show(comparison, width=1200):
        path = tmp_path / "report.html"
        path.write_text(render(comparison), encoding="utf-8")
        page = browser.new_page(viewport={"width": width, "height": 800})
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: complaints.append(asked.url) if asked.url[:5] not in ("file:", "data:") else 0)
        page.goto(path.as_uri())
        pages.append(page)
        return page

    yield show
    for page in pages:
        page.close()
    assert complaints == []


@pytest.fixture
def pair(make, tmp_path):
    rgb = make.picture(300, 200)
    changed = rgb.copy()
    changed[20:80, 30:90] = changed[20:80, 30:90][::-1]
    Image.fromarray(rgb).save(tmp_path / "a.png")
    Image.fromarray(changed).save(tmp_path / "b.png")
    return tmp_path / "a.png", tmp_path / "b.png"


def visible(page, selector):
    return page.locator(selector).first.is_visible()


def test_the_views_are_reached_and_changed_by_keyboard(opened, pair):
    page = opened(compare(*pair))

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "view-swipe"
    page.keyboard.press("Tab")
    before = page.evaluate("document.querySelector('.stage').style.getPropertyValue('--at')")
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    assert before == "" and page.evaluate("document.querySelector('.stage').style.getPropertyValue('--at')") == "60%"

    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowRight")
    assert visible(page, ".stage .of-reference") and not visible(page, ".stage .over")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert visible(page, ".stage .over") and visible(page, ".stage .of-candidate")

    page.focus("#view-flip")
    page.keyboard.press("ArrowRight")
    assert visible(page, ".stage .heat") and "of the picture lies above 0.1" in page.inner_text(".views")


@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_is_wider_than_the_screen(opened, pair, width):
    page = opened(compare(*pair), width)

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.locator(".stage").bounding_box()
    assert box["width"] / box["height"] == pytest.approx(1.5, rel=0.02)


@pytest.mark.parametrize("width", [360, 700, 1200])
@pytest.mark.parametrize("size", [(300, 300), (200, 300)], ids=["square", "portrait"])
def test_the_buttons_stand_in_a_row_above_the_picture(opened, make, tmp_path, size, width):
    rgb = make.picture(*size)
    Image.fromarray(rgb).save(tmp_path / "a.png")
    Image.fromarray(np.ascontiguousarray(rgb[:, ::-1] // 2 + rgb // 2)).save(tmp_path / "b.png")
    page = opened(compare(tmp_path / "a.png", tmp_path / "b.png"), width)

    for view in ("swipe", "flip", "heat"):
        page.focus(f"#view-{view}")
        page.keyboard.press("Space")
        labels = [one.bounding_box() for one in page.locator(".views > label").all() if one.is_visible()]
        stage = page.locator(".stage").bounding_box()
        assert len(labels) == 3 + (view == "flip")
        assert all(box["height"] < 60 and box["y"] + box["height"] <= stage["y"] for box in labels)
    assert stage["width"] / stage["height"] == pytest.approx(size[0] / size[1], rel=0.02)
    middle = page.evaluate("(r => r.x + r.width / 2)(document.querySelector('.views').getBoundingClientRect())")
    assert stage["x"] + stage["width"] / 2 == pytest.approx(middle, abs=1)


def test_the_map_says_where_they_differ_most(pair):
    page = render(compare(*pair))

    left, top = map(int, re.search(r"differs most (\d+)% from the left and (\d+)% from the top", page).groups())
    assert 10 <= left <= 30 and 10 <= top <= 40


def test_a_picture_on_its_side_is_not_laid_over(tmp_path):
    blobs = np.random.default_rng(5).integers(0, 256, (9, 13, 3), np.uint8)
    image = Image.fromarray(blobs).resize((360, 240), Image.Resampling.BICUBIC)
    image.save(tmp_path / "a.png")
    image.rotate(90, expand=True).save(tmp_path / "b.png")

    page = render(compare(tmp_path / "a.png", tmp_path / "b.png"))

    assert "rotated by 90° counter-clockwise, so they are not laid over one another" in page
    assert 'class="stage"' not in page and "turn it back to compare pixels" in page and "240 x 360" in page


def test_resampling_and_failures_are_said_on_the_page(pair, tmp_path):
    Image.new("RGB", (200, 200)).save(tmp_path / "c.png")

    page = render(compare(pair[0], tmp_path / "c.png", assertions=True))

    assert "For the overlays the candidate was resampled from 200x200 to 300x200 and stretched" in page
    assert "<strong>The candidate failed</strong> <code>image.black/1</code>" in page


def test_equal_pictures_have_no_map(pair, tmp_path):
    with Image.open(pair[0]) as image:
        image.save(tmp_path / "again.bmp")

    page = render(compare(pair[0], tmp_path / "again.bmp"))
    assert "No pixel differs." in page and "view-heat" not in page.split("</style>")[1]
