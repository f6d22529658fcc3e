"""``compare`` as people run it."""

import json

import click
import pytest
from click.testing import CliRunner

from drift.commands import compare
from drift.errors import MintmarkError, ReportNotWritten


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
    assert [score["name"] for score in document["scores"]] == ["lag_ms/1", "bytes/1"]


def test_a_report_is_written(media, tmp_path):
    done = run(media / "a.png", media / "a.jpg", "-o", tmp_path / "report.html")

    assert done.exit_code == 0 and str(tmp_path / "report.html") in done.output.replace("\n", "")
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")


def test_transcripts_show_their_words(tmp_path):
    (tmp_path / "a.txt").write_text("one two [red]three[/red] four")
    (tmp_path / "b.txt").write_text("one 2 [red]three[/red] four")

    done = run(tmp_path / "a.txt", tmp_path / "b.txt")

    assert "one two 2 [red]three[/red] four" in done.output


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


def test_help_states_the_exit_status():
    assert "exit status is 0" in click.Context(compare).get_help().replace("\n ", "")
