"""The report: one file that asks nothing of anywhere and shows what differs, whatever the words in it."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from drift.compare import compare
from drift.report.page import render
from drift.report.transcript import word_spans
from drift.word_edits import edits

PAIRS = [("a.png", "a.jpg"), ("a.mp4", "a.webm"), ("a.wav", "a.mp3"), ("openai.json", "cues.srt"), ("a.png", "a.png")]


class Checked(HTMLParser):
    """Collects addresses and checks that elements nest."""

    VOID = frozenset({"meta", "img", "input", "br", "line", "polyline", "rect"})

    def __init__(self):
        super().__init__()
        self.open, self.addresses = [], []

    def handle_starttag(self, tag, attrs):
        self.addresses += [value for key, value in attrs if key in {"src", "href", "action", "poster", "srcset"}]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_a_page_is_whole_and_self_contained(media, ours, theirs):
    comparison = compare(media / ours, media / theirs)

    page = render(comparison)

    checked = Checked()
    checked.feed(page)
    assert not checked.open
    assert all(address.startswith("data:image/webp;base64,") for address in checked.addresses)
    assert not re.search(r"https?://|url\(|@import|//[a-z]+\.", re.sub(r"base64,[^\"]+", "", page))
    assert all(score.name in page for score in comparison.scores)
    assert ours in page and theirs in page
    kind = comparison.reference.media.kind
    drawn = {"image": "Swipe", "video": "Timeline", "audio": "Mel pictures", "transcript": "Words"}[kind]
    assert (drawn in page) == (ours != theirs or kind == "image")


def test_a_video_page_shows_its_worst_frames_and_its_sound(media):
    page = render(compare(media / "a.mp4", media / "a.webm"))

    assert "The frames that differ most" in page and "Mel pictures" in page


def test_words_of_others_stay_words(tmp_path):
    (tmp_path / "<img src=x>.txt").write_text("<script>alert(1)</script> said one {{ 7*7 }}")
    (tmp_path / "b.txt").write_text("<script>alert(2)</script> said two {{ 7*7 }}")

    page = render(compare(tmp_path / "<img src=x>.txt", tmp_path / "b.txt"))

    assert "<script" not in page and "<img src=x" not in page
    assert "&lt;script&gt;alert(1)" in page and "{{ 7*7 }}" in page


def test_the_diff_marks_what_is_gone_and_new_and_who_speaks(media, tmp_path):
    (tmp_path / "b.json").write_text((media / "openai.json").read_text().replace("World", "Moon"))

    page = render(compare(media / "openai.json", tmp_path / "b.json"))

    assert "<del>[-World.-]</del><ins>{+Moon.+}</ins>" in page  # told without colour, and in what is copied
    assert '<p class="turn" dir="auto">B 0:00:01</p>' in page


def test_speakers_and_times_that_moved_are_told_at_their_words(tmp_path):
    said = [("A", 0, "we met yesterday"), ("B", 2, "indeed we did"), ("A", 4, "good")]
    heard = [("x", 0, "we met yesterday"), ("x", 2.25, "indeed"), ("y", 3, "we did"), ("x", 3.9, "good")]
    for name, turns in (("a.json", said), ("b.json", heard)):
        document = [{"speaker": who, "start": at, "end": at + 1, "text": text} for who, at, text in turns]
        (tmp_path / name).write_text(json.dumps(document))

    page = render(compare(tmp_path / "a.json", tmp_path / "b.json"))

    assert "x of the candidate is A; y of the candidate is B" in page
    assert '<p class="turn" dir="auto">B 0:00:02 (+250 ms)</p>' in page
    assert '<p class="turn" dir="auto">A 0:00:04 (\u2212100 ms)</p>' in page
    marked = (
        '<span class="voice">&lt;candidate: x&gt;</span> indeed <span class="voice">&lt;as before&gt;</span> we did'
    )
    assert marked in page


def test_a_change_across_two_turns_is_told_in_each(tmp_path):
    for name, words in (("a.json", ("one two", "three four")), ("b.json", ("one zwei", "drei four"))):
        segments = [{"speaker": "AB"[at], "text": text} for at, text in enumerate(words)]
        (tmp_path / name).write_text(json.dumps(segments))

    page = render(compare(tmp_path / "a.json", tmp_path / "b.json"))

    assert "one <del>[-two-]</del></p>" in page and "<del>[-three-]</del><ins>{+zwei drei+}</ins> four" in page


def test_scripts_without_spaces_are_drawn_without_spaces(tmp_path):
    (tmp_path / "a.txt").write_text("\u4eca\u65e5\u306f\u3002\n\u660e\u65e5", encoding="utf-8")
    (tmp_path / "b.txt").write_text("\u4eca\u65e5\u304c\u3002\n\u660e\u65e5", encoding="utf-8")

    page = render(compare(tmp_path / "a.txt", tmp_path / "b.txt"))

    assert "\u4eca\u65e5<del>[-\u306f-]</del><ins>{+\u304c+}</ins>\u3002</p>" in page
    assert '<p dir="auto">\u660e\u65e5</p>' in page


def test_an_audio_page_tells_lag_loudness_and_what_does_not_align(make, tmp_path):
    sound = make.tone(2)
    a = make.audio(tmp_path / "a.wav", sound)
    late = make.audio(tmp_path / "b.wav", np.concatenate([np.zeros(3200), sound * 0.5]))
    silent = make.audio(tmp_path / "c.wav", np.zeros(32_000))

    page = render(compare(a, late))
    assert "<dd>200 ms</dd>" in page and "the candidate is late" in page and "aligned in time and level" in page

    assert "the candidate is silent" in (page := render(compare(a, silent))) and "could not be aligned" in page


def test_long_unchanged_stretches_are_folded():
    words = [f"w{n}" for n in range(500)]
    spans = word_spans(edits(words, [*words[:250], "x", *words[251:]]))

    assert [span.kind for span in spans] == ["fold", "same", "gone", "new", "same", "fold"]
    assert spans[0].text == "210" and spans[2].text == "w250"


def test_the_page_of_a_pair_is_the_same_every_time(media):
    assert render(compare(media / "a.png", media / "a.jpg")) == render(compare(media / "a.png", media / "a.jpg"))
