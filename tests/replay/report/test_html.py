"""The page of a run: whole, self-contained, the answer first, and nobody's words in it are markup."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from replay.report.html import Picture, render, write


class Checked(HTMLParser):
    """Collects addresses, headings and what is styled or scripted, and checks that elements nest."""

    VOID = frozenset({"meta", "img", "rect", "line"})

    def __init__(self):
        super().__init__()
        self.open, self.addresses, self.headings, self.policy, self.styles = [], [], [], "", []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.addresses += [value for key, value in attrs if key in {"src", "href", "action", "srcset", "data"}]
        assert not {key for key in values if key == "style" or key.startswith("on")}
        assert tag not in {"script", "iframe", "object", "link", "form"}
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        assert tag in self.VOID

    def handle_data(self, data):
        if self.open and self.open[-1] in {"h1", "h3"}:
            self.headings.append(data)
        if self.open and self.open[-1] == "style":
            self.styles.append(data)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def read(page):
    found = Checked()
    found.feed(page)
    assert not found.open
    return found


def test_a_page_is_whole_and_asks_nothing_of_anywhere(result):
    page = render(result)

    found = read(page)
    (style,) = found.styles
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert found.addresses == []
    assert f"style-src 'sha256-{digest}'" in found.policy and "default-src 'none'" in found.policy
    assert "unsafe" not in found.policy and not re.search(r"https?://|url\(|@import", page)
    assert f"Exit status <strong>{result['exit_code']}</strong>" in page


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [("drifted", "hero-2", "hero-2"), ("outage", "hero-2", "hero-2"), ("hostile", "</script>", "hero-2")],
)
def test_what_must_be_looked_at_comes_first(results_by_name, name, first, last):
    _, *cards = read(render(results_by_name[name])).headings

    assert cards[0].startswith(first) and cards[-1] == last


def test_the_answer_its_reason_and_its_numbers_are_told(results_by_name):
    page = render(results_by_name["seeded-drift"])

    for said in ("Drifted: 1 of 1 manifests", "SSIM 0.81 lies outside all 13", "smallest p to rely on",
                 "0.0095", "0.32 USD of 5.00 USD spent", "seeded", "ssim/1", "0.9123", "the pictures are equal",
                 "2 in 4.5 s", "Replay 2 (confirm)", "3 min 05 s"):  # fmt: skip
        assert said in page, said


def test_the_gate_tells_p_against_the_noise_and_what_moved(results_by_name):
    page = render(results_by_name["drifted-by-gate"])

    assert "4 sampled manifests together" in page
    assert page.index("glob.coherent") < page.index("dispersion") < page.index("lay.max")
    assert "tone, colour, sharpness or coding" in page
    # On a logarithmic scale from 1 to the least p: alpha lies before p, and the band of noise ends at alpha.
    alpha, p = (int(re.search(rf'class="{name}" x1="(\d+)"', page)[1]) for name in ("alpha", "p"))
    assert 0 < alpha < p <= 1000 and f'class="noise" x="0" y="4" width="{alpha}"' in page


def test_words_of_others_stay_words(results_by_name):
    page = render(results_by_name["hostile"])

    assert "<script" not in page and "<img" not in page and "{{7*7}}" in page
    assert "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;" in page
    assert not set(page) & {"\x00", "\x1b", "\u202e", "\ud800"}


def test_pictures_are_asked_for_what_drifted_only(results_by_name, tmp_path):
    asked = []

    def pictures(manifest):
        asked.append(manifest["name"])
        return [
            Picture("replay", "data:image/webp;base64,AAAA"),
            Picture("words", words=[("gone", "<b>"), ("new", "c")]),
        ]

    write(results_by_name["drifted"], tmp_path / "report.html", pictures)

    page = (tmp_path / "report.html").read_text()
    assert asked == ["hero-2"] and read(page).addresses == ["data:image/webp;base64,AAAA"]
    assert "<del>[-&lt;b&gt;-]</del>" in page and "<ins>{+c+}</ins>" in page


def test_a_thousand_manifests_are_one_file_of_a_few_megabytes(results_by_name):
    page = render(results_by_name["thousand"])

    assert len(page) < 4_000_000 and page.count("<article") == 111 and page.count("<li><details>") == 889


TOKEN = re.compile(r"--([a-z-]+): (#[0-9a-f]{6})")
PAIRS = [("ink", "paper"), ("ink", "card"), ("soft", "paper"), ("soft", "card"), ("open", "open-wash"),
         ("bad", "bad-wash"), ("good", "good-wash")]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back"), PAIRS)
def test_every_pair_of_colours_can_be_read(results_by_name, scheme, front, back):
    (style,) = read(render(results_by_name["reproduced"])).styles
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    colours = dict(TOKEN.findall(light if scheme == "light" else dark.split("* {")[0]))

    brighter, darker = sorted((luminance(colours[front]), luminance(colours[back])), reverse=True)
    assert (brighter + 0.05) / (darker + 0.05) >= 4.5  # WCAG 2.2, 1.4.3


def luminance(colour):
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    r, g, b = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in shares)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def test_an_outage_is_counted_alike_in_head_and_card(results_by_name):
    page = render(results_by_name["outage"])

    told = re.findall(r"<dt>replays</dt><dd>([^<]*)</dd>", page)
    assert told == ["1 of 2 made", "0 of 1 made in 2.2 s", "1 in 2.2 s"]
