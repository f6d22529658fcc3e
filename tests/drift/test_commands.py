"""``compare`` as people run it."""

import json
from pathlib import Path

import click
import jsonschema
import jsonschema_rs
import pytest
from click.testing import CliRunner
from PIL import Image

from drift.commands import compare
from drift.errors import MintmarkError, ReportNotWritten

FINDINGS = json.loads((Path(__file__).parents[2] / "schemas" / "findings" / "v1.schema.json").read_text())


def run(*arguments):
    return CliRunner().invoke(compare, [str(argument) for argument in arguments])


def test_a_table_for_people(media):
    done = run(media / "a.png", media / "a.jpg")

    assert done.exit_code == 0
    assert "The content differs: SSIM" in done.output and "ssim/1" in done.output and "different" in done.output


def test_equal_files_exit_zero_too(media):
    done = run(media / "a.png", media / "a.png")

    assert done.exit_code == 0 and "byte for byte" in done.output


def test_json_is_the_document(media):
    done = run(media / "a.wav", media / "a.mp3", "--json", "--metric", "lag_ms", "--metric", "bytes")

    document = json.loads(done.output)
    assert document["format"] == "mintmark/comparison/v1"
    assert [score["name"] for score in document["scores"]] == ["lag_ms/2", "bytes/1"]


def test_a_report_is_written(media, tmp_path):
    done = run(media / "a.png", media / "a.jpg", "-o", tmp_path / "report.html")

    assert done.exit_code == 0 and str(tmp_path / "report.html") in done.output.replace("\n", "")
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")


def test_transcripts_show_their_words(tmp_path):
    (tmp_path / "a.txt").write_text("one two [red]three[/red] four")
    (tmp_path / "b.txt").write_text("one 2 [red]three[/red] four")

    done = run(tmp_path / "a.txt", tmp_path / "b.txt")

    assert "one [-two-] {+2+} [red]three[/red] four" in done.output


@pytest.mark.parametrize("theirs", ["a.wav", "broken.png"])
def test_unusable_input_is_exit_two_with_a_reason(media, tmp_path, theirs):
    (tmp_path / "broken.png").write_bytes((media / "a.png").read_bytes()[:500])
    path = media / theirs if (media / theirs).exists() else tmp_path / theirs

    done = run(media / "a.png", path)

    assert isinstance(done.exception, MintmarkError) and done.exception.exit_code == 2
    assert theirs in str(done.exception)


def test_a_report_that_cannot_be_written_says_why(media, tmp_path):
    done = run(media / "a.png", media / "a.jpg", "-o", tmp_path / "no" / "such" / "folder.html")

    assert isinstance(done.exception, ReportNotWritten) and done.exception.exit_code == 3
    assert "folder.html cannot be written: No such file" in str(done.exception)


def test_a_missing_file_is_a_usage_error(media):
    done = run(media / "a.png", media / "nothing.png")

    assert done.exit_code == 2 and "nothing.png" in done.output


def test_a_missing_file_names_what_is_near(media):
    assert "did you mean" in run(media / "a.png", media / "a.jpgg").output
    assert "is a folder" in run(media, media / "a.png").output


def test_the_place_of_a_report_is_judged_before_anything_is_computed(media, tmp_path):
    (tmp_path / "kept.txt").write_text("mine")
    (tmp_path / "sub.html").mkdir()
    missing = tmp_path / "no" / "report.html"

    # The second input is broken: whoever computed first would complain of that.
    (tmp_path / "broken.png").write_bytes((media / "a.png").read_bytes()[:500])
    said = {place: run(media / "a.png", tmp_path / "broken.png", "-o", place).exception
            for place in (tmp_path / "kept.txt", tmp_path / "sub.html", missing)}  # fmt: skip

    assert [str(error).split(": ")[1].split(";")[0] for error in said.values()] == [
        "it exists and is no report",
        "it is a folder",
        "No such file or directory",
    ]
    assert [error.exit_code for error in said.values()] == [2, 2, 3]
    assert (tmp_path / "kept.txt").read_text() == "mine"


def test_an_input_is_never_overwritten_by_its_report(tmp_path):
    (tmp_path / "page.html").write_text("a page of words")
    (tmp_path / "b.txt").write_text("a page of other words")

    done = run(tmp_path / "page.html", tmp_path / "b.txt", "-o", tmp_path / "page.html")

    assert done.exception.exit_code == 2 and "one of the files compared" in str(done.exception)
    assert (tmp_path / "page.html").read_text() == "a page of words"


def test_an_older_report_is_replaced_and_nothing_is_left_beside_it(media, tmp_path):
    (tmp_path / "report.html").write_text("old")

    assert run(media / "a.png", media / "a.jpg", "-o", tmp_path / "report.html").exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")


EVIL = "evil\x1b[2J\x9b31m\u202egnp.txt"


def test_names_of_others_never_steer_the_terminal(tmp_path, media):
    path = tmp_path / EVIL
    path.write_text("one two three")
    (tmp_path / "b.txt").write_text("one 2 three")
    broken = tmp_path / (EVIL + ".png")
    broken.write_bytes((media / "a.png").read_bytes()[:500])

    said = [
        run(path, tmp_path / "b.txt").output,
        run("--check", path, broken).output,
        run("--check", path, broken, "--json").output,
        run(path, tmp_path / ("x" + EVIL)).output,
        str(run(path, media / "a.png").exception),
        str(run(media / "a.png", broken).exception),
        run(path, tmp_path / "b.txt", "-o", tmp_path / (EVIL + ".html")).output,
    ]

    for text in said:
        assert not set(text) & {"\x1b", "\x9b", "\u202e"}
    assert json.loads(said[2])["files"][0]["name"] == "evil\\x1b[2J\\x9b31m\\u202egnp.txt"


def test_words_of_others_never_steer_the_terminal(tmp_path):
    # Text files may hold escapes (U+001B) and C1 controls.
    (tmp_path / "a.txt").write_text("one \x1b[2Jtwo \x9b31m three", encoding="utf-8")
    (tmp_path / "b.txt").write_text("one \x1b[2Jtwo \x9b31m four", encoding="utf-8")

    done = run(tmp_path / "a.txt", tmp_path / "b.txt")

    assert "\\x1b[2Jtwo" in done.output and not set(done.output) & {"\x1b", "\x9b"}


def test_undecodable_names_are_no_crash(tmp_path, media):
    path = tmp_path / "caf\udce9.png"
    path.write_bytes((media / "a.png").read_bytes())

    done = run(path, media / "a.jpg", "-o", tmp_path / "report.html")

    assert done.exit_code == 0
    assert "caf\\xe9.png" in (tmp_path / "report.html").read_text("utf-8")
    assert "caf\\xe9.png: ok" in run("--check", path).output


@pytest.fixture
def bad(tmp_path):
    Image.new("RGB", (64, 64)).save(tmp_path / "black.png")
    return tmp_path / "black.png"


def test_check_says_what_failed_and_exits_by_it(media, tmp_path, bad):
    (tmp_path / "broken.png").write_bytes((media / "a.png").read_bytes()[:500])

    good, failing = run("--check", media / "a.png"), run("--check", media / "a.png", bad)
    unreadable = run("--check", media / "a.png", tmp_path / "broken.png")

    assert (good.exit_code, failing.exit_code, unreadable.exit_code) == (0, 1, 3)
    assert "a.png: ok" in good.output
    assert "black.png: failed" in failing.output and "image.black/1  the picture is black" in failing.output
    assert "broken.png: unreadable" in unreadable.output and "truncated" in unreadable.output
    assert run("--check", tmp_path / "broken.png", bad).exit_code == 1


@pytest.mark.parametrize("is_valid", [jsonschema.Draft202012Validator, jsonschema_rs.Draft202012Validator])
def test_check_as_json_has_every_finding(media, tmp_path, bad, is_valid):
    (tmp_path / "broken.png").write_bytes((media / "a.png").read_bytes()[:500])
    every = [path for path in sorted(media.iterdir()) if path.is_file()]

    done = run("--check", *every, bad, tmp_path / "broken.png", "--json")

    document = json.loads(done.output)
    assert is_valid(FINDINGS).is_valid(document)
    verdicts = {file["name"]: file["verdict"] for file in document["files"]}
    assert verdicts.pop("black.png") == "failed" and verdicts.pop("broken.png") == "unreadable"
    assert set(verdicts.values()) == {"ok"}


@pytest.mark.parametrize("language", ["zz", "klingon", "", "d e", "\x1b[2J"])
def test_a_language_that_cannot_be_told_is_refused(tmp_path, language):
    (tmp_path / "a.txt").write_text("the cat sat on the mat and it was there for all of us to see " * 2)
    done = run("--check", tmp_path / "a.txt", "--language", language)

    assert done.exit_code == 2 and "\x1b" not in done.output
    assert "give a code such as de or a name such as german" in done.output.replace("\n", " ")


@pytest.mark.parametrize("suffix", ["txt", "srt", "VTT", "json"])
def test_a_transcript_of_no_bytes_is_an_empty_one(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(b"")

    done = run("--check", path)
    assert done.exit_code == 1 and "transcript.empty/1  the transcript holds no word" in done.output
    document = run("--check", path, "--json")
    assert jsonschema.Draft202012Validator(FINDINGS).is_valid(json.loads(document.output))


def test_an_empty_transcript_is_compared_as_one(tmp_path):
    (tmp_path / "empty.txt").touch()
    (tmp_path / "other.srt").touch()
    (tmp_path / "b.txt").write_text("good morning")
    (tmp_path / "empty.png").touch()

    gone = run(tmp_path / "b.txt", tmp_path / "empty.txt", "--json", "-o", tmp_path / "report.html")
    both = run(tmp_path / "empty.txt", tmp_path / "other.srt")

    scores = {score["name"]: score["value"] for score in json.loads(gone.output)["scores"]}
    assert (gone.exit_code, scores["wer.norm/1/unicode/1"], scores["decoded/1"]) == (0, 1.0, 0.0)
    assert both.exit_code == 0 and "byte for byte the same" in both.output
    assert isinstance(run(tmp_path / "b.txt", tmp_path / "empty.png").exception, MintmarkError)


def test_a_metric_of_other_media_keeps_its_direction(tmp_path):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(name)

    said = run(tmp_path / "a.txt", tmp_path / "b.txt", "--metric", "ssim", "--metric", "phash", "--json")

    assert [score["higher_is_better"] for score in json.loads(said.output)["scores"]] == [True, False]


def test_another_file_of_no_bytes_cannot_be_read(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")

    done = run("--check", tmp_path / "a.png")
    assert done.exit_code == 3 and "has no bytes" in done.output


def test_check_takes_the_language_transcripts_should_be_in(tmp_path):
    (tmp_path / "a.txt").write_text("I think that we should talk about it when you are back, there is not much time.")

    assert run("--check", tmp_path / "a.txt", "--language", "en").exit_code == 0
    done = run("--check", tmp_path / "a.txt", "--language", "de")
    assert done.exit_code == 1 and "the words are English, German was stated" in done.output


def test_a_comparison_shows_what_failed_and_its_json_everything(media, bad):
    shown = run(media / "a.png", bad).output
    document = json.loads(run(media / "a.png", bad, "--json").output)

    assert "the candidate failed image.black/1" in shown and "image.flat" not in shown
    assert [one["verdict"] for one in document["findings"]["reference"]] == ["ok"] * 4
    assert document["findings"]["candidate"][0]["verdict"] == "failed"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["a.png"], "a reference and a candidate, not 1"),
        (["a.png", "a.jpg", "a.gif"], "not 3"),
        (["--check", "a.png", "-o", "x.html"], "leave out"),
        (["--check", "a.png", "--metric", "ssim"], "leave out"),
        (["a.png", "a.jpg", "--language", "de"], "goes with --check"),
    ],
)
def test_what_does_not_go_together_is_a_usage_error(media, arguments, why):
    done = run(*(media / one if one.startswith("a.") else one for one in arguments))

    assert done.exit_code == 2 and why in done.output


def test_help_states_the_exit_status():
    assert "exit status is 0" in click.Context(compare).get_help().replace("\n ", "")
