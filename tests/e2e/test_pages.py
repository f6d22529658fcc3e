"""The pages in a real browser: drop a file, see its origin."""

import base64
import re

import pytest

DROP = """([name, type, data]) => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const files = new DataTransfer();
  files.items.add(new File([bytes], name, {type}));
  for (const kind of ["dragenter", "dragover", "drop"]) {
    const event = new DragEvent(kind, {dataTransfer: files, bubbles: true, cancelable: true});
    document.querySelector("main").dispatchEvent(event);
    if (kind === "dragover") window.wasOver = document.body.classList.contains("over");
  }
}"""


def dropped(page, path, media_type):
    data = base64.b64encode(path.read_bytes()).decode()
    with page.expect_navigation():
        page.evaluate(DROP, [path.name, media_type, data])


def test_a_dropped_file_shows_its_origin(page, site, picture_of):
    page.goto("/")
    assert page.locator("h1").inner_text() == "Where did this file come from?"

    dropped(page, site.original(), "image/png")

    assert page.locator("h1").inner_text() == "Found"
    hit = page.locator(".hit").first
    assert "match" in hit.locator(".badge").inner_text()
    assert "the same bytes" in hit.inner_text()
    assert "a lighthouse above a stormy sea" in hit.locator("h2").inner_text()
    pictures = hit.locator(".pair img")
    assert pictures.count() == 2
    for n in range(2):
        assert pictures.nth(n).evaluate("img => img.decode().then(() => img.naturalWidth)") > 100
    hit.locator("h2 a").click()
    assert page.url.endswith(f"/g/{site.hero}")


def test_a_recompressed_copy_shows_candidates_side_by_side(page, site, picture_of):
    page.goto("/")

    dropped(page, site.copy, "image/jpeg")

    assert page.locator("h1").inner_text() == "Perhaps one of these"
    first = page.locator(".hit").first
    assert first.locator("h2 a").get_attribute("href") == f"/g/{site.hero}"
    assert "PDQ bits differ" in first.locator(".why").inner_text()
    picture_of(page, "lookup-page")


def test_the_generation_page_tells_everything(page, site, picture_of):
    page.goto(f"/g/{site.hero}")

    text = page.locator("main").inner_text()
    for wanted in (
        "a lighthouse above a stormy sea at dusk", "procedural-image@1", "pinned to a local build", "storefront-hero",
        "width 768", "campaign", "winter", "as ordered, no retouching", "usable", "Log entry", "Checkpoint", "#1",
    ):  # fmt: skip
        assert wanted in text
    image = page.locator(".stage img")
    assert image.evaluate("img => img.decode().then(() => img.naturalWidth)") == 768
    with page.expect_response(re.compile("/proof$")) as proof:
        page.get_by_role("link", name="Proof of inclusion").click()
    assert proof.value.text().startswith("c2sp.org/tlog-proof@v1")
    page.goto(f"/g/{site.hero}")
    picture_of(page, "generation-page")


@pytest.mark.parametrize(("which", "selector"), [("film", "video"), ("sound", "audio")])
def test_film_and_sound_can_be_played(page, site, which, selector):
    page.goto(f"/g/{getattr(site, which)}")

    player = page.locator(selector)

    ready = "p => p.readyState >= 1 || new Promise(ok => p.addEventListener('loadedmetadata', () => ok(true)))"
    assert player.evaluate(ready)
    assert player.evaluate("p => p.duration") > 0.5


def test_a_transcript_can_be_read(page, site):
    page.goto(f"/g/{site.text}")

    assert "where this picture came from" in page.locator(".stage").inner_text()


def test_words_and_ids_are_looked_up_by_keyboard_alone(page, site):
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    for _ in range(6):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "q":
            break
    page.keyboard.type("stormy lighthouse")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=*")

    assert page.locator(".hit h2 a").first.get_attribute("href") == f"/g/{site.hero}"
    page.goto(f"/?q={site.hero[7:19]}")
    assert page.locator("h1").inner_text() == "Found"


def test_a_stranger_is_not_found_and_told_what_to_try(page, site):
    page.goto("/")

    dropped(page, site.stranger(), "image/png")

    assert page.locator("h1").inner_text() == "Nothing found"
    assert "a miss is no proof" in page.locator(".answers").inner_text()
    assert "What you can try" in page.locator(".answers").inner_text()


def test_it_all_works_without_a_script(browser, site):
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.set_input_files("input[type=file]", site.original())
    page.get_by_role("button", name="Look up this file").click()
    page.wait_for_load_state()

    assert page.locator("h1").inner_text() == "Found"
    assert page.locator(".pair img").count() == 2
    page.goto(f"/g/{site.hero}")
    assert page.locator("[data-copy]").is_hidden()
    context.close()


def test_a_choice_is_sent_at_once_where_there_is_a_script(page, site):
    page.goto("/")
    with page.expect_navigation():
        page.set_input_files("input[type=file]", site.original())

    assert page.locator("h1").inner_text() == "Found"


def test_an_empty_registry_says_how_to_begin(page, empty_url):
    page.goto(empty_url)

    assert "Nothing is recorded here yet" in page.locator("main").inner_text()
    assert "mintmark record" in page.locator("main").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_pages_fit_their_width_and_contrast_in_light_and_dark(browser, site, width, scheme):
    context = browser.new_context(base_url=site.url, viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    for address in ("/", "/?q=lighthouse", "/?q=nosuchword", f"/g/{site.hero}", f"/g/{site.text}", "/nowhere"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        assert page.evaluate(CONTRAST) == [], address
    context.close()


def test_every_control_has_a_name_and_every_picture_a_text(page, site):
    for address in ("/", "/?q=lighthouse", f"/g/{site.hero}"):
        page.goto(address)
        assert page.locator("img:not([alt])").count() == 0
        assert page.locator("html[lang]").count() == 1
        assert page.locator("h1").count() == 1
        for control in page.locator("input, button, a[href]:not([tabindex='-1'])").all():
            name = control.evaluate(
                "e => e.getAttribute('aria-label') || e.textContent.trim() || (e.labels && e.labels[0] "
                "&& e.labels[0].textContent.trim()) || e.querySelector('img[alt]')?.alt"
            )
            assert name, control.evaluate("e => e.outerHTML")


CONTRAST = """() => {
  const parse = (text) => { const c = text.match(/[\\d.]+/g).map(Number); return c.length < 4 ? [...c, 1] : c; };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c[3] > 0.99) return c;
    }
    return [255, 255, 255, 1];
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !e.checkVisibility() || e.closest("script, style")) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))].sort((p, q) => q - p);
    if ((a + 0.05) / (b + 0.05) < 4.5) poor.push(walker.currentNode.textContent.trim().slice(0, 40));
  }
  return poor;
}"""
