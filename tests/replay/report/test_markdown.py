"""The Markdown summary, read by a Markdown parser: small enough, and nobody's words become markup."""

import re

import pytest
from markdown_it import MarkdownIt

from replay.report.markdown import MOST, render


def cells(text):
    """Every row of every table as texts; fails where anything in a cell is more than text."""
    rows, row = [], None
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "tr_open":
            row = []
        elif token.type == "tr_close":
            rows.append(row)
        elif token.type == "inline" and row is not None:
            assert {child.type for child in token.children} <= {"text"}, token.content
            row.append("".join(child.content for child in token.children))
    return rows


def test_every_summary_is_small_and_says_status_and_answer(result):
    text = render(result)

    assert len(text.encode("utf-8", "surrogatepass")) < MOST
    assert f"**exit status {result['exit_code']}**" in text
    assert "![" not in text and "data:" not in text


@pytest.mark.parametrize("name", ["drifted", "seeded-drift", "outage", "retired", "uncalibrated", "ambiguous"])
def test_what_must_be_looked_at_stands_in_the_first_table(results_by_name, name):
    result = results_by_name[name]
    first, *_ = [one for one in result["manifests"] if not one["verdict"] or one["verdict"]["kind"] != "reproduced"]

    head, row, *_ = cells(render(result))

    assert head == ["manifest", "verdict", "why", "level, regime", "replays", "cost"]
    assert row[0].startswith(first["name"])
    assert (first["error"] or {"why": first["verdict"]["sentence"]}).get("why") in row[2]


def test_words_of_others_stay_words(results_by_name, hostile):
    text = render(results_by_name["hostile"])

    _, *rows = cells(text)
    assert len(rows) == 2
    assert "</script><img src=x onerror=alert(1)>`|a|`" in rows[0][0] and "@octocat #1 www.a.test" in rows[0][0]
    assert (
        "\\</script" in text and "www.a" not in text and "\x1b" not in text and not re.search(r"[^\\]<(?!/?[ds])", text)
    )
    assert not [token for token in MarkdownIt("commonmark").parse(text) if token.type.startswith("html")]
    assert hostile not in text


def test_links_are_not_made_of_other_peoples_words(results_by_name):
    result = results_by_name["drifted"]
    result["manifests"][1]["name"] = "see https://evil.test/a and ftp://b [x](http://c)"

    text = render(result)

    assert "https://" not in text and "ftp://" not in text
    assert cells(text)[1][0].startswith("see https://evil.test/a and ftp://b [x](http://c)")


def test_a_summary_that_would_be_too_long_is_cut_and_says_so(results_by_name):
    result = results_by_name["thousand"]

    whole, cut = render(result), render(result, most=60_000)

    assert len(cut.encode()) < 60_000 < len(whole.encode())
    shown = len(cells(cut)) - cut.count("| manifest |")
    left = int(cut.split(" more are not shown here")[0].split("\n")[-1].replace(",", ""))
    assert 0 < shown < 1_000 and shown + left == 1_000
    assert "more are not shown" not in whole


def test_a_huge_suite_stays_below_the_limit(results_by_name):
    result = results_by_name["thousand"]
    for manifest in result["manifests"]:
        manifest["name"] = manifest["name"] * 400

    text = render(result)

    assert len(text.encode()) < MOST and "more are not shown here" in text and text.count("<details>") <= 1


def test_what_passed_is_folded(results_by_name):
    text = render(results_by_name["reproduced"])

    assert "<details><summary>Reproduced or within noise: 2</summary>" in text and "### To look at" not in text


def test_an_outage_is_counted_alike_in_head_and_row(results_by_name):
    text = render(results_by_name["outage"])

    assert "- replays: 1 of 2 made in" in text
    assert sorted(row[4] for row in cells(text) if row[4] != "replays") == ["0 of 1 made", "1"]
