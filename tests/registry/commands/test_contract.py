"""What every command owes: exit codes, no registry out of nothing, no traceback, no noise in a pipe."""

import os
import sqlite3
import subprocess
import sys

import pytest

READING = [
    ("show", "@last"),
    ("get", "@last", "--to", "."),
    ("search",),
    ("lookup", "some words"),
    ("lookup", "sha256:" + "0" * 64),
    ("index", "status"),
    ("index", "rebuild"),
    ("export", "--all", "--to", "b.zip"),
    ("log", "audit"),
    ("log", "checkpoint"),
    ("key", "list"),
    ("key", "export"),
    ("tag", "@last", "a=b"),
    ("review", "@last", "--usable"),
    ("erase", "@last", "--field", "prompt", "--reason", "r", "--authority", "a"),
    ("erase", "--finish"),
    ("replay", "@last"),
]


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_where_no_registry_is_a_reading_command_says_so_and_makes_none(mintmark, tmp_path, command):
    said = mintmark(*command)

    assert said.status == 3
    assert "no registry here" in said.err and "mintmark init" in said.err
    assert list(tmp_path.iterdir()) == []


def test_a_home_that_was_named_and_is_not_there_is_named(mintmark, tmp_path, monkeypatch):
    monkeypatch.setenv("MINTMARK_HOME", str(tmp_path / "elsewhere"))

    said = mintmark("search")

    assert said.status == 3 and "elsewhere" in said.err
    assert mintmark("init").status == 0
    assert (tmp_path / "elsewhere" / "mintmark.db").exists()
    assert mintmark("search").status == 1


def test_an_empty_home_counts_as_none(mintmark, tmp_path):
    (tmp_path / ".mintmark").mkdir()

    assert mintmark("show", "@last").status == 3
    assert list((tmp_path / ".mintmark").iterdir()) == []


def test_a_home_that_is_a_file_is_told(mintmark, tmp_path, picture):
    (tmp_path / ".mintmark").write_text("not a folder")

    assert mintmark("search").status == 3
    assert mintmark("record", picture(), "--provider", "p", "--model", "m").status == 3
    assert mintmark("init").status == 3


def test_init_twice_is_one_registry(mintmark):
    first, second = mintmark("init"), mintmark("init")

    assert (first.status, second.status) == (0, 0)
    assert "made a registry" in first.out and "the registry is in" in second.out
    assert first.out.split("log origin")[1].split()[0] == second.out.split("log origin")[1].split()[0]
    assert "none was made here" not in second.out


def test_init_below_a_registry_says_that_none_is_made_here(mintmark, tmp_path, monkeypatch):
    mintmark("init")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")

    said = mintmark("init")

    assert said.status == 0 and "above this folder; none was made here" in said.out
    assert not (tmp_path / "below" / ".mintmark").exists()


def test_what_is_missing_is_told_in_words(mintmark):
    told = mintmark("record", "--provider", "x", "--model", "y", "--status", "blocked").err
    without = mintmark("record", "--provider", "x", "--model", "y").err

    assert "operation is not known from an output; say it" in told
    assert "name at least one file" in without and "[]" not in without and "None" not in told + without


def test_a_folder_below_uses_the_registry_above(mintmark, recorded, tmp_path, monkeypatch):
    manifest = recorded()
    (tmp_path / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "er")

    assert mintmark("show", "@last").out.startswith(manifest)


def test_a_writing_command_makes_a_registry_and_says_so(mintmark, picture, tmp_path):
    said = mintmark("record", picture(), "--provider", "p", "--model", "m")

    assert said.status == 0 and f"made a registry in {tmp_path / '.mintmark'}" in said.err
    assert (tmp_path / ".mintmark").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("surprise = 1", "surprise"),
        ("max_bytes = 'many'", "max_bytes"),
        ("max_bytes = true", "max_bytes"),
        ("host = 3", "host"),
        ("= no toml", "mintmark.toml"),
        ("database = 'mysql://x/y'", "mysql"),
        ("database = 'nonsense'", "nonsense"),
    ],
)
def test_a_mistake_in_the_settings_is_named(mintmark, home, tmp_path, content, told):
    (tmp_path / ".mintmark" / "mintmark.toml").write_text(content)

    said = mintmark("search")

    assert said.status == 2, said.err
    assert told in said.err


@pytest.mark.parametrize("value", ["", "-1", "1.5", "1_000", "٣", "9" * 5000])
def test_a_mistake_in_the_environment_is_named(mintmark, home, monkeypatch, value):
    monkeypatch.setenv("MINTMARK_MAX_BYTES", value)

    said = mintmark("search")

    assert said.status == 2 and "MINTMARK_MAX_BYTES" in said.err


def test_an_unknown_command_or_option_is_a_usage_error(mintmark):
    assert mintmark("recrod").status == 2
    assert mintmark("search", "--colour").status == 2
    assert mintmark("show").status == 2


def test_a_newer_database_is_left_alone(mintmark, recorded, tmp_path):
    recorded()
    with sqlite3.connect(tmp_path / ".mintmark" / "mintmark.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999_later'")
    connection.close()

    said = mintmark("search")

    assert said.status == 3 and "newer" in said.err


PROGRAM = [sys.executable, "-c", "import sys; from registry.cli import main; main()"]


def test_a_reader_that_has_seen_enough_hears_no_noise(mintmark, recorded, tmp_path):
    recorded("a.png", "--prompt", "long " * 40_000)
    for arguments in (
        ["show", "@last", "--json"],
        ["show", "@last"],
        ["export", "--all", "--format", "jsonl", "--to", "-"],
    ):
        read, write = os.pipe()
        process = subprocess.Popen(
            [*PROGRAM, *arguments], cwd=tmp_path, stdout=write, stderr=subprocess.PIPE, text=True
        )
        os.close(write)
        os.read(read, 10)
        os.close(read)
        _, err = process.communicate(timeout=60)

        assert "Traceback" not in err and "Exception" not in err and "error" not in err.lower(), (arguments, err)


def test_a_terminal_that_knows_no_unicode_gets_an_answer(mintmark, recorded, tmp_path):
    recorded("a.png", "--prompt", "橋と霧 — naïve")

    done = subprocess.run(
        [*PROGRAM, "show", "@last"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
    )

    assert done.returncode == 0, done.stderr
    assert b"prompt" in done.stdout


def test_debug_shows_where_an_error_comes_from(mintmark, tmp_path):
    done = subprocess.run([*PROGRAM, "--debug", "search"], cwd=tmp_path, capture_output=True, text=True)

    assert done.returncode == 3 and "Traceback" in done.stderr


def test_what_a_terminal_obeys_in_a_files_name_is_written_out(mintmark, recorded, tmp_path):
    name = "red\x1b[31m.png"
    (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\nbroken")

    said = mintmark("record", name, "--provider", "openai", "--model", "gpt-image-2-2026-04-21")

    assert said.status != 0 and "\x1b" not in said.err
    assert "red\\x1b[31m.png" in said.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("review", "@last", "--usable", "--unusable"), "one of the two"),
        (("review", "@last"), "--usable or --unusable"),
        (("show", "@last", "--lineage", "--json"), "say one of them"),
        (("show", "@last", "--lineage", "--manifest"), "say one of them"),
        (("show", "run-12345678", "--manifest"), "a run has neither"),
        (("export", "--all", "--label", "app=x", "--to", "b.zip"), "leave out label:app=x"),
        (("erase", "@last", "--field", "prompt", "--finish"), "a call of its own"),
        (("check", "--resume", "@last", "--offline"), "goes on as the run began"),
        (("check", "--resume", "@last", "--repeat", "3"), "goes on as the run began"),
        (("check", "suite.yaml", "--plan", "-o", "report.html"), "makes no result"),
    ],
)
def test_flags_that_contradict_each_other_are_refused(mintmark, recorded, tmp_path, words, told):
    recorded("a.png", "--prompt", "p")

    said = mintmark(*words)

    assert (said.status, told in said.err) == (2, True), said.err
    assert not list(tmp_path.glob("*.zip")) and "review" not in mintmark("show", "@last").out


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("record", "a.png", "--provider", "p", "--model", "b\udcff"), "--model"),
        (("record", "a.png", "--provider", "p", "--model", "m", "--label", "x=\udcff"), "--label"),
        (("record", "a.png", "--provider", "p", "--model", "m", "--prompt", "bad\udcff"), "--prompt"),
        (("tag", "@last", "x=\udcff"), "K=V"),
        (("log", "audit", "--trust", "\udcff"), "--trust"),
        (("stats", "cost", "--minute-cost", "\udcff"), "--minute-cost"),
        (("suite", "new", "--label", "a=\udcff"), "--label"),
        (("providers", "show", "\udcff"), "NAME"),
        (("replay", "ambiguous", "paid", "k\udcff", "--by", "x", "--reason", "y"), "KEY"),
        (("replay", "@last", "--model", "\udcff"), "--model"),
        (("get", "\udcff", "--to", "x"), "ID|DIGEST"),
    ],
)
def test_bytes_that_are_no_text_are_refused_by_the_option_that_has_them(mintmark, recorded, words, option):
    recorded("a.png")

    said = mintmark(*words)

    assert said.status == 2 and option in said.err, said.err
    assert "surrogate" not in said.err and ("\\xff" in said.err or "does not exist" in said.err)
