"""The demo's report in a real browser: nothing is cut off."""

import re
from pathlib import Path

import replay

TEMPLATE = Path(replay.__file__).parent / "templates" / "demo.html.j2"


def test_a_long_path_is_not_cut_at_the_edge(browser):
    style = re.search("<style>.*?</style>", TEMPLATE.read_text("utf-8"), re.DOTALL)[0]
    row = f"<td>container</td><td>ok {'every byte that is not content ' * 3}</td><td>assets/sha256/{'8368' * 16}</td>"
    page = browser.new_page(viewport={"width": 600, "height": 700})
    page.set_content(f'<!doctype html>{style}<div class="wide"><table><tr>{row}</tr></table></div>')

    widths = [page.evaluate(f"document.querySelector('.wide').{name}Width") for name in ("scroll", "client")]

    assert widths[0] <= widths[1]
    page.close()


def test_a_verdict_is_one_word_on_one_line(browser):
    style = re.search("<style>.*?</style>", TEMPLATE.read_text("utf-8"), re.DOTALL)[0]
    row = f'<td>video</td><td>same build</td><td class="reproduced">reproduced</td><td>{"as it was said " * 40}</td>'
    page = browser.new_page(viewport={"width": 1100, "height": 700})
    page.set_content(f'<!doctype html>{style}<div class="wide"><table><tr>{row}</tr></table></div>')

    lines = """() => {
        const words = document.createRange();
        words.selectNodeContents(document.querySelector(".reproduced"));
        return words.getClientRects().length;
    }"""

    assert page.evaluate(lines) == 1
    page.close()
