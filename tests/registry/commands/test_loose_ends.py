"""What a stranger types wrong, asks for twice, or finds in the way: plain words, and nothing done by halves."""

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

TERMINAL = "\x1b[31mred\x07\x9b2J"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (("--provider", "OpenAI", "--model", "m"), "(write openai)"),
        (("--provider", "p", "--model", "m", "--operation", "foo"), "such as image.generate"),
        (("--provider", "p", "--model", "m", "--exchange-id", "short"), "8 to 128 characters"),
        (("--provider", "p", "--model", "m", "--operation", "audio.transcribe"), "say image.generate or image.edit"),
        (("--provider", "p", "--model", "m", "--operation", "video.generate"), "say image.generate or image.edit"),
        (("--provider", "p", "--model", "m", "--setting", "a=1", "--setting", "a=2"), "given twice"),
        (("--provider", "p", "--model", "m", "--label", "a=1", "--label", "a=1"), "given twice"),
        (("--provider", "p", "--model", "m", "--at", "2126-01-01"), "correct the time"),
    ],
)
def test_a_mistake_in_a_recording_is_told_in_words(mintmark, picture, home, said, told):
    answer = mintmark("record", picture(), *said)

    assert answer.status == 2
    assert told in answer.err and "^[" not in answer.err and "schema" not in answer.err
    assert mintmark("search").status == 1


def test_a_picture_that_is_an_error_page_is_refused(mintmark, home, tmp_path):
    (tmp_path / "hero.png").write_text("<html><body>404 not found</body></html>")

    answer = mintmark("record", "hero.png", "--provider", "p", "--model", "m")

    assert answer.status == 2 and "error page" in answer.err
    assert mintmark("search").status == 1


def test_a_clock_a_little_ahead_is_no_lie(mintmark, picture, home):
    soon = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()

    assert mintmark("record", picture(), "--provider", "p", "--model", "m", "--at", soon).status == 0


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (("--provider", "procedural", "--model", "nope"), "procedural-image@2"),
        (("--provider", "procedural", "--model", "procedural-image@1", "--operation", "image.foo"), "video.generate"),
        (("--provider", "OpenAI", "--model", "x"), "(write openai)"),
    ],
)
def test_generate_names_what_there_is_and_makes_nothing(mintmark, tmp_path, said, told):
    answer = mintmark("generate", "--prompt", "x", *said)

    assert answer.status == 2 and told in answer.err
    assert not (tmp_path / ".mintmark").exists()


def test_an_unknown_status_and_a_label_twice_are_no_empty_answers(mintmark, recorded):
    recorded()

    for said in (("search", "--status", "nonsense"), ("export", "--status", "nonsense", "--to", "x.zip")):
        assert mintmark(*said).status == 2
    assert "given twice" in mintmark("search", "--label", "a=1", "--label", "a=2").err


def test_taking_away_a_tag_that_is_not_there_is_told(mintmark, recorded):
    manifest = recorded()
    assert mintmark("tag", manifest, "a=1").status == 0

    none, some = mintmark("tag", manifest, "winter="), mintmark("tag", manifest, "winter=", "b=2")

    assert none.status == 1 and "no tag winter to take away; its tags: a" in none.err
    assert some.status == 0 and "no tag winter" in some.err and "a=1, b=2" in some.err


def test_get_writes_to_standard_output(mintmark, recorded, tmp_path):
    manifest = recorded("a.png")
    code = "import sys; from registry.cli import run; sys.exit(run(sys.argv[1:]))"

    done = subprocess.run([sys.executable, "-c", code, "get", manifest, "--to", "-"], capture_output=True, cwd=tmp_path)

    assert done.returncode == 0 and done.stdout == (tmp_path / "a.png").read_bytes()
    assert not (tmp_path / "-").exists()


def test_what_is_in_the_way_stays_unless_forced(mintmark, recorded, tmp_path):
    manifest = recorded("a.png")
    for name in ("there.png", "there.csv"):
        (tmp_path / name).write_text("mine")
    wanted = (("get", manifest, "--to", "there.png"), ("export", "--all", "--format", "csv", "--to", "there.csv"))

    for said in wanted:
        answer = mintmark(*said)
        assert answer.status == 2 and "--force" in answer.err
        assert (tmp_path / said[-1]).read_text() == "mine"
        assert mintmark(*said, "--force").status == 0
        assert (tmp_path / said[-1]).read_bytes() != b"mine"


def test_get_of_a_call_that_failed_says_so(mintmark, home):
    said = mintmark("record", "--provider", "p", "--model", "m", "--operation", "image.generate", "--status", "blocked")

    answer = mintmark("get", said.out.split()[0], "--to", "x.png")

    assert answer.status == 1 and "made nothing: the call ended as blocked" in answer.err


def test_get_of_erased_bytes_says_so(mintmark, recorded):
    manifest = recorded()
    assert mintmark("erase", manifest, "--asset", "--reason", "r", "--authority", "a").status == 0

    answer = mintmark("get", manifest, "--to", "x.png")

    assert answer.status == 1 and "output 0 of" in answer.err and "erased, record" in answer.err


def test_no_control_character_of_a_record_reaches_the_terminal(mintmark, recorded, home):
    manifest = recorded("a.png", "--prompt", f"a lamp {TERMINAL}", "--setting", f"style={TERMINAL}")
    assert mintmark("review", manifest, "--unusable", "--reason", TERMINAL).status == 0
    call = ("record", "--provider", "p", "--model", "m", "--operation", "image.generate", "--status", "failed")
    failed = mintmark(*call, "--error", TERMINAL)

    for said in (
        ("show", manifest), ("show", manifest, "--json"), ("show", failed.out.split()[0]), ("search",),
        ("search", "--json"), ("lookup", "lamp"), ("lookup", "lamp", "--json"), ("lookup", TERMINAL),
        ("get", TERMINAL, "--to", "x"), ("get", manifest, "--role", TERMINAL, "--to", "x"),
    ):  # fmt: skip
        answer = mintmark(*said)
        for text in (answer.out, answer.err):
            assert not {"\x1b", "\x07", "\x9b"} & set(text), said


def test_a_value_of_several_lines_cannot_pose_as_another_fact(mintmark, recorded):
    manifest = recorded("a.png", "--prompt", "a lamp\n  outcome    succeeded, honestly\n  log        entry 99")

    lines = mintmark("show", manifest).out.splitlines()

    assert sum(line.startswith("  outcome ") for line in lines) == 1
    assert sum(line.startswith("  log ") for line in lines) == 1


def test_show_tells_whom_it_is_about_and_what_reviews_took(mintmark, recorded):
    manifest = recorded("a.png", "--subject", "customer-17", "--exchange-id", "order-00000017")
    said = ("--usable", "--reason", "fine", "--minutes", "2.5", "--cost", "1.20EUR")
    assert mintmark("review", manifest, *said).status == 0

    shown = mintmark("show", manifest).out

    for fact in ("customer-17", "order-00000017", "usable: fine (20", " UTC, ", "2.5 min, 1.20 EUR)"):
        assert fact in shown, shown


def test_one_of_a_thing_is_one(mintmark, recorded):
    recorded()

    assert "nothing found in 1 generation, index" in mintmark("lookup", "no such words").err
    assert "1 entries" not in mintmark("log", "audit").out


def test_search_shows_medium_and_prompt_where_there_is_room(mintmark, recorded, monkeypatch):
    manifest = recorded("a.png", "--prompt", "a stone bridge " * 30)

    monkeypatch.setenv("COLUMNS", "80")
    narrow = mintmark("search").out
    monkeypatch.setenv("COLUMNS", "160")
    wide = mintmark("search").out
    assert mintmark("erase", manifest, "--field", "prompt", "--reason", "r", "--authority", "a").status == 0
    erased = mintmark("search").out

    assert "PROMPT" not in narrow and "image/png" not in narrow
    assert "image/png" in wide and "a stone bridge a stone" in wide and "\u2026" in wide
    assert max(map(len, wide.splitlines())) <= 160
    assert "[erased]" in erased and "bridge" not in erased


@pytest.mark.parametrize(("name", "value"), [("max_pixels", "100"), ("max_bytes", "100")])
def test_a_limit_names_the_setting_that_raises_it(mintmark, picture, home, monkeypatch, name, value):
    path = picture(size=(64, 64))
    monkeypatch.setenv(f"MINTMARK_{name.upper()}", value)

    recorded, looked_up = mintmark("record", path, "--provider", "p", "--model", "m"), mintmark("lookup", path)

    assert recorded.status == 2 and name in recorded.err
    assert looked_up.status == 1 and f"raise {name} in mintmark.toml or MINTMARK_{name.upper()}" in looked_up.err


def test_search_lists_what_was_altered_and_says_so(mintmark, recorded, home, monkeypatch):
    manifest = recorded("a.png", "--prompt", "a stone bridge")
    with sqlite3.connect(home / "mintmark.db") as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute("UPDATE record SET body = x'7b' WHERE id = ?", (manifest,))
    connection.close()

    for columns, told in (("80", manifest[7:19]), ("160", "[altered or gone")):
        monkeypatch.setenv("COLUMNS", columns)
        answer = mintmark("search")
        assert answer.status == 0 and told in answer.out


def test_a_lookup_says_what_it_was_given(mintmark, recorded, tmp_path):
    manifest = recorded("a.png", "--prompt", "a lamp")
    (tmp_path / "folder").mkdir()

    for folder in ("folder/", str(tmp_path), "..", "."):
        said = mintmark("lookup", folder)
        assert (said.status, "is a folder; name a file in it" in said.err) == (2, True), said.err
    for nothing in ("", "  "):
        assert (
            mintmark("lookup", nothing).status,
            "there is nothing to look up" in mintmark("lookup", nothing).err,
        ) == (2, True)
    assert mintmark("lookup", "folder").status == 1, "a word of a prompt may be a folder's name, too"
    short = mintmark("lookup", manifest[7:13])
    assert short.status == 1 and "8 digits or more" in short.err
    assert "8 digits" not in mintmark("lookup", "facades").err


def test_a_tag_is_called_a_tag(mintmark, recorded):
    recorded("a.png")

    for words in (("foo",), ("a=" + "x" * 300,), ("a=1", "a=2")):
        said = mintmark("tag", "@last", *words)
        assert said.status == 2 and "tag: " in said.err and "label" not in said.err
