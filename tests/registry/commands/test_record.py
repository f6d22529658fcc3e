"""``mintmark record``: what people write behind options arrives exactly, or is refused with a reason."""

import json
import os
import stat
import threading

import pytest

ODD_NUMBERS = ["1.0", "-0", "1e400", "12345678901234567890", "1E5", "0.1", "-1.50", "9007199254740993", "1e-7"]


def settings(values):
    return [word for n, value in enumerate(values) for word in ("--setting", f"n{n}={value}")]


def test_odd_numbers_survive_exactly(mintmark, recorded):
    recorded("a.png", *settings(ODD_NUMBERS))

    shown = mintmark("show", "@last").out
    stored = mintmark("show", "@last", "--json").json["manifest"]["settings"]
    for n, number in enumerate(ODD_NUMBERS):
        assert f"n{n}={number}" in shown
        assert stored[f"n{n}"] in ({"$num": number}, json.loads(number)), number


def test_what_is_no_number_stays_text(mintmark, recorded):
    texts = ["01", "1.", ".5", "+1", "NaN", "Infinity", "1_000", "0x10", "1e", "\u0663", "True", "=", "a=b"]

    recorded("a.png", *settings(texts))

    stored = mintmark("show", "@last", "--json").json["manifest"]["settings"]
    assert [stored[f"n{n}"] for n in range(len(texts))] == texts


@pytest.mark.parametrize("digits", [4_400, 100_000])
def test_a_number_of_very_many_digits_is_kept(mintmark, recorded, digits):
    number = "7" * digits

    recorded("a.png", "--setting", f"n={number}")

    assert mintmark("show", "@last", "--json").json["manifest"]["settings"]["n"] == {"$num": number}


BAD_OPTIONS = [
    ("--setting", "no-equals"),
    ("--setting", "=value"),
    ("--setting", "empty="),
    ("--label", "Upper=1"),
    ("--label", "=1"),
    ("--label", "plain"),
    ("--label", "k=" + "v" * 257),
    ("--label", "k=two\nlines"),
    ("--label", "k" * 64 + "=v"),
    ("--cost", "free"),
    ("--cost", "-1"),
    ("--cost", "1,50"),
    ("--cost", "1.5 €"),
    ("--cost", "NaN"),
    ("--cost", "1e3"),
    ("--cost", ""),
    ("--at", "yesterday"),
    ("--at", "2026-13-01"),
    ("--at", "9999999d"),
    ("--at", "2026-11-01T25:00Z"),
    ("--at", "0001-01-01"),
    ("--at", ""),
    ("--input", "no-role"),
    ("--input", "=x.png"),
    ("--input", "mask=no/such.png"),
    ("--parent", "edit"),
    ("--parent", "copy=" + "sha256:" + "0" * 64),
    ("--parent", "edit=0123"),
    ("--status", "great"),
    ("--exchange-id", "short"),
    ("--exchange-id", "with spaces in it"),
    ("--operation", "paint"),
]


def test_a_bad_option_is_refused_and_nothing_is_recorded(mintmark, picture, home):
    path = picture()
    for options in BAD_OPTIONS:
        said = mintmark("record", path, "--provider", "p", "--model", "m", *options)

        assert said.status == 2, (options, said)
        assert mintmark("search").status == 1, options


@pytest.mark.parametrize("name", ["provider", "model"])
@pytest.mark.parametrize("value", ["", "x" * 5000, "with\nbreak"])
def test_an_odd_provider_or_model_is_refused_or_kept(mintmark, home, picture, name, value):
    said = {"provider": "p", "model": "m"} | {name: value}

    done = mintmark("record", picture(), "--provider", said["provider"], "--model", said["model"])

    assert done.status in (0, 2)
    if done.status == 0:
        shown = mintmark("show", "@last", "--json").json["manifest"]
        assert (shown["provider"]["name"] if name == "provider" else shown["model"]["requested"]) == value


@pytest.mark.parametrize("what", ["missing", "folder", "empty", "unreadable", "socket", "endless"])
def test_what_is_no_file_is_named(mintmark, home, tmp_path, monkeypatch, what):
    path = tmp_path / "it.png"
    if what == "folder":
        path.mkdir()
    elif what == "empty":
        path.touch()
    elif what == "unreadable":
        path.write_bytes(b"x")
        path.chmod(0)
        if os.geteuid() == 0:
            pytest.skip("root may read everything")
    elif what == "socket":
        os.mknod(path, stat.S_IFSOCK | 0o600)
    elif what == "endless":
        path = "/dev/zero"

    monkeypatch.setenv(
        "MINTMARK_MAX_BYTES", "5000000"
    )  # what does not end must not fill the disk of whoever breaks this

    said = mintmark("record", path, "--provider", "p", "--model", "m")

    assert said.status == 2
    assert str(path).rpartition("/")[2] in said.err
    assert list((tmp_path / ".mintmark" / "assets" / "staged").iterdir()) == []


@pytest.mark.parametrize(
    "name", ["мост.png", "橋 と 霧.png", "a'b\"c$(d).png", "-dash.png", "new\nline.png", "e\u0301.png"]
)
def test_a_file_may_have_any_name(mintmark, home, picture, name):
    path = picture(name)

    said = mintmark("record", "--provider", "p", "--model", "m", "--", path)

    assert said.status == 0, said.err
    assert mintmark("lookup", path).status == 0


def test_a_pipe_is_recorded_up_to_the_limit(mintmark, home, picture, tmp_path, monkeypatch):
    pipe, data = tmp_path / "pipe", picture().read_bytes()
    os.mkfifo(pipe)
    for limit, status in ((len(data), 0), (len(data) - 1, 2)):
        monkeypatch.setenv("MINTMARK_MAX_BYTES", str(limit))
        writer = threading.Thread(target=pipe.write_bytes, args=(data,))
        writer.start()

        said = mintmark("record", pipe, "--provider", "p", "--model", "m")

        writer.join()
        assert said.status == status, said.err
    assert list((tmp_path / ".mintmark" / "assets" / "staged").iterdir()) == []


def test_a_name_that_is_no_unicode_is_recorded_and_refused_clearly(mintmark, home, picture):
    odd = os.fsdecode(os.fsencode(picture().parent) + b"/\xff\xfe.png")
    os.rename(picture(), odd)

    assert mintmark("record", odd, "--provider", "p", "--model", "m").status == 0
    assert mintmark("lookup", odd).status == 0
    assert mintmark("record", odd + "x", "--provider", "p", "--model", "m").status == 2
    assert mintmark("record", odd, "--provider", "p", "--model", "m", "--prompt", "\udcff").status == 2


@pytest.mark.parametrize(
    "prompt",
    [
        "x" * 100_000,
        "nul \0 inside",
        "tab\tline\nbreak\r\n",
        "𓀀 \u202e rtl",
        '{"$seal": "x"}',
        "null",
        "0",
        " ",
        "e\u0301",
    ],
    ids=["100 kB", "NUL", "breaks", "rtl", "seal", "null", "zero", "space", "combining"],
)
def test_any_text_is_a_prompt_and_comes_back_unchanged(mintmark, recorded, prompt):
    manifest = recorded("a.png", "--prompt", prompt, "--subject", prompt, "--wait")

    shown = mintmark("show", manifest, "--json").json["manifest"]
    assert shown["prompt"]["submitted"] == prompt
    assert shown["context"]["subject"] == prompt
    assert mintmark("show", manifest).status == 0
    assert mintmark("search", "--prompt", prompt).status in (0, 1)
    assert mintmark("lookup", prompt).status in ((0, 1, 4) if prompt.strip() else (2,))  # nothing to look up


def test_a_long_prompt_is_found_by_itself(mintmark, recorded):
    prompt = " ".join(f"word{n}" for n in range(12_000))

    recorded("a.png", "--prompt", prompt, "--wait")

    assert mintmark("search", "--prompt", prompt).status == 0
    assert mintmark("lookup", prompt).status == 4


def test_json_is_one_document_with_the_manifest(mintmark, home, picture):
    said = mintmark("record", picture(), "--provider", "p", "--model", "m", "--prompt", "a secret", "--json")

    told = said.json
    assert set(told) == {"id", "new", "manifest"} and told["new"] is True
    assert "$seal" in told["manifest"]["prompt"]["submitted"]
    assert "a secret" not in said.out


def test_one_exchange_is_one_generation(mintmark, home, picture):
    arguments = ["record", picture(), "--provider", "p", "--model", "m", "--exchange-id", "job-00000001"]

    first, again = mintmark(*arguments), mintmark(*arguments)
    other = mintmark(*arguments, "--prompt", "something else")

    assert first.out.split()[0] == again.out.split()[0] and "recorded before" in again.err
    assert other.status == 2 and first.out.split()[0] in other.err


def test_a_failed_call_needs_no_file_and_a_success_does(mintmark, home):
    failed = ["record", "--provider", "p", "--model", "m", "--status", "blocked", "--error", "refused by the filter"]

    assert mintmark(*failed).status == 2, "no output tells the operation"
    assert mintmark(*failed, "--operation", "image.generate").status == 0
    assert "blocked" in mintmark("show", "@last").out
    assert mintmark("record", "--provider", "p", "--model", "m", "--operation", "image.generate").status == 2


def test_every_option_comes_back(mintmark, recorded, picture):
    parent = recorded("parent.png", seed=5)
    mask = picture("mask.png", seed=6)

    recorded(
        "a.png", "--prompt", "p1", "--seed", "18446744073709551615", "--cost", "0.0400EUR", "--request-id", "req_7",
        "--at", "2026-11-01T12:00+01:00", "--workflow", "hero", "--subject", "s1", "--label", "app=x", "--label", "e=",
        "--input", f"mask={mask}", "--parent", f"edit={parent[7:19]}",
    )  # fmt: skip

    shown = mintmark("show", "@last", "--json").json["manifest"]
    assert shown["seed"]["requested"] == "18446744073709551615"
    assert (shown["cost"]["amount"], shown["cost"]["currency"]) == ("0.0400", "EUR")
    assert shown["outcome"]["completed_at"] == "2026-11-01T11:00:00.000Z"
    assert shown["labels"] == {"app": "x", "e": ""}
    assert shown["parents"] == [{"id": parent, "relation": "edit"}]
    assert shown["inputs"][0]["role"] == "mask"
    assert shown["operation"] == "image.edit"
    assert mintmark("lookup", "req_7").status == 0


def test_a_setting_is_shown_as_json_has_it(mintmark, recorded):
    recorded("a.png", "--setting", "f=true", "--setting", "n=null", "--setting", "s=True")

    assert "f=true, n=null, s=True" in mintmark("show", "@last").out
