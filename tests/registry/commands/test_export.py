"""``export``, ``verify``, ``log``, ``key``: what an auditor gets, and what hostile copies of it are called."""

import csv
import json
import random
import sqlite3
import zipfile

import pytest


@pytest.fixture
def audit(mintmark, recorded, tmp_path):
    """A bundle of everything, and the keys to trust; answers their paths."""
    recorded("a.png", "--prompt", "a secret bridge", "--label", "app=x")
    assert mintmark("export", "--all", "--to", "audit.zip").status == 0
    (tmp_path / "trust.txt").write_text(mintmark("key", "export").out)
    return tmp_path / "audit.zip", tmp_path / "trust.txt"


def test_exit_codes_of_verify(mintmark, audit, tmp_path):
    bundle, trust = audit
    flipped = bytearray(bundle.read_bytes())
    flipped[len(flipped) // 2] ^= 1
    (tmp_path / "flipped.zip").write_bytes(flipped)

    assert mintmark("verify", bundle, "--trust", trust).status == 0
    assert mintmark("verify", tmp_path / "flipped.zip", "--trust", trust).status == 1
    assert mintmark("verify", bundle).status == 4
    assert mintmark("verify", tmp_path / "none.zip").status == 3
    assert mintmark("verify", bundle, "--trust", tmp_path / "none.txt").status == 3
    assert mintmark("verify").status == 2
    told = mintmark("verify", tmp_path / "flipped.zip", "--trust", trust).out.splitlines()[-1]
    assert told.endswith("no record was looked at") and "0 records" not in told
    assert mintmark("verify", bundle, "--trust", trust, "--json").json["verdict"] == "verified"


@pytest.mark.parametrize("junk", [b"my key is under the mat\n", b"\xff\xfe", b""])
def test_what_is_no_key_and_no_checkpoint_says_nothing_of_a_bundle(mintmark, audit, tmp_path, junk):
    bundle, trust = audit
    (tmp_path / "junk.txt").write_bytes(junk)

    said = mintmark("verify", bundle, "--trust", "junk.txt", "--json")
    kept = mintmark("verify", bundle, "--trust", trust, "--checkpoint", "junk.txt")
    logged = mintmark("log", "audit", "--trust", "junk.txt")

    assert (said.status, kept.status, logged.status) == (2, 2, 2)
    for refused, made_by in ((said, "key export"), (kept, "log checkpoint"), (logged, "key export")):
        assert "'junk.txt' is not what" in refused.err and f"`mintmark {made_by}` prints" in refused.err


def test_a_checkpoint_kept_outside_is_held_against_the_bundle(mintmark, audit, tmp_path):
    bundle, trust = audit
    (tmp_path / "kept").write_text(mintmark("log", "checkpoint").out)
    (tmp_path / "sub").mkdir()

    assert mintmark("verify", bundle, "--trust", trust, "--checkpoint", tmp_path / "kept").status == 0
    (tmp_path / "kept").write_text((tmp_path / "kept").read_text().replace("\n2\n", "\n1\n"))
    assert mintmark("verify", bundle, "--trust", trust, "--checkpoint", tmp_path / "kept").status in (1, 4)
    assert mintmark("verify", bundle, "--trust", trust, "--checkpoint", tmp_path / "sub").status == 3


def test_a_bundle_of_a_selection_proves_that_it_continues_a_kept_checkpoint(mintmark, audit, recorded, tmp_path):
    (tmp_path / "kept").write_text(mintmark("log", "checkpoint").out)
    trusted = ("--trust", audit[1], "--checkpoint", tmp_path / "kept")
    for n in range(3):
        recorded(f"{n}.png", seed=n + 5)
    last = ("export", "@last", "--to")

    assert mintmark(*last, "without.zip").status == 0
    assert mintmark(*last, "with.zip", "--consistency", "2", "--consistency", "1").status == 0
    without, with_proof = (mintmark("verify", name, *trusted, "--json") for name in ("without.zip", "with.zip"))

    assert (without.status, with_proof.status) == (4, 0)
    assert "`mintmark export … --consistency 2`" in json.dumps(without.json, ensure_ascii=False)
    assert {"consistency/1", "consistency/2"} < set(zipfile.ZipFile(tmp_path / "with.zip").namelist())
    (beyond, none, rows) = (mintmark(*last, "x.zip", *more) for more in (
        ("--consistency", "6"), ("--consistency", "0"), ("--consistency", "2", "--format", "csv")))  # fmt: skip
    assert (beyond.status, none.status, rows.status) == (2, 2, 2)
    assert "this log has 5 entries" in beyond.err and not (tmp_path / "x.zip").exists()


def rewritten(bundle, target, change):
    """The bundle's members in another zip file, after a change."""
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            new.writestr(info, old.read(info.filename))
        change(new)
    return target


def symlink(archive):
    info = zipfile.ZipInfo("assets/link")
    info.external_attr = 0o120777 << 16
    archive.writestr(info, "/etc/passwd")


def duplicate(archive):
    name = next(name for name in archive.namelist() if name.startswith("records/"))
    archive.writestr(name, b"{}")


HOSTILE = {
    "parent folder": lambda archive: archive.writestr("../../escaped.txt", "x"),
    "absolute": lambda archive: archive.writestr("/tmp/escaped.txt", "x"),
    "backslash": lambda archive: archive.writestr("..\\escaped.txt", "x"),
    "surprise": lambda archive: archive.writestr("surprise.txt", "x"),
    "link": symlink,
    "duplicate": duplicate,
    "bomb": lambda archive: archive.writestr("assets/bomb", bytes(50 << 20), zipfile.ZIP_DEFLATED),
    "comment": lambda archive: setattr(archive, "comment", b"hello"),
    "nothing": lambda archive: None,
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_hostile_copies_fail_at_the_container_and_write_nothing(mintmark, audit, tmp_path):
    bundle, trust = audit
    for name, change in HOSTILE.items():
        said = mintmark("verify", rewritten(bundle, tmp_path / "hostile.zip", change), "--trust", trust, "--json")

        container = said.json["layers"][0]
        expected = ("ok", 0) if name == "nothing" and container["state"] == "ok" else ("failed", 1)
        assert (container["state"], said.status) == expected, (name, said.out)
    assert not list(tmp_path.parent.glob("escaped*"))


@pytest.mark.parametrize("content", [b"PK", b"PK\x05\x06" + bytes(18), b"PK\x03\x04" + bytes(300)])
def test_what_may_be_a_damaged_bundle_fails(mintmark, tmp_path, content):
    (tmp_path / "b.zip").write_bytes(content)

    said = mintmark("verify", tmp_path / "b.zip", "--json")

    assert said.status in (1, 5) and said.json["layers"][0]["state"] == "failed"


@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"{}", random.Random(1).randbytes(3000)])
def test_what_is_no_bundle_is_called_that(mintmark, tmp_path, content):
    (tmp_path / "b.zip").write_bytes(content)

    said = mintmark("verify", tmp_path / "b.zip", "--json")

    assert said.status == 3 and "is no bundle but" in said.err


def test_every_way_of_cutting_a_bundle_is_noticed(mintmark, audit, tmp_path):
    bundle, trust = audit
    data = bundle.read_bytes()
    for keep in (1, 100, len(data) // 2, len(data) - 22, len(data) - 1):
        (tmp_path / "cut.zip").write_bytes(data[:keep])

        assert mintmark("verify", tmp_path / "cut.zip", "--trust", trust).status == 1, keep


def test_a_folder_bundle_with_links_is_refused(mintmark, audit, tmp_path):
    _, trust = audit
    assert mintmark("export", "--all", "--to", "folder").status == 0
    assert mintmark("verify", "folder", "--trust", trust).status == 0
    asset = next((tmp_path / "folder" / "assets").iterdir())
    asset.rename(tmp_path / "moved")
    asset.symlink_to(tmp_path / "moved")

    assert mintmark("verify", "folder", "--trust", trust).status == 1
    assert mintmark("verify", "/dev/null", "--trust", trust).status == 3


def test_a_bundle_discloses_what_was_asked_for_and_no_more(mintmark, audit, tmp_path):
    assert b"secret bridge" not in audit[0].read_bytes()

    assert mintmark("export", "@last", "--disclose", "prompt", "--to", "open.zip").status == 0

    assert b"secret bridge" in (tmp_path / "open.zip").read_bytes()
    assert mintmark("verify", "open.zip", "--trust", audit[1]).status == 0


def test_exports_never_overwrite_and_say_when_nothing_fits(mintmark, audit, tmp_path):
    assert mintmark("export", "--all", "--to", "audit.zip").status == 2
    assert mintmark("export", "--to", "x.zip").status == 2
    assert mintmark("export", "--label", "app=none", "--to", "x.zip").status == 5
    assert mintmark("export", "--label", "app=none", "--format", "jsonl", "--to", "x.jsonl").status == 5
    assert mintmark("export", "0" * 8, "--to", "x.zip").status == 1
    assert mintmark("export", "--all", "--to", "no/such/x.zip").status in (2, 3)
    assert mintmark("export", "--all", "--format", "xml", "--to", "x").status == 2
    assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] != ".") == [
        "a.png",
        "audit.zip",
        "trust.txt",
    ]
    assert [path.name for path in tmp_path.iterdir() if path.name[0] == "."] == [".mintmark"]


def test_rows_are_one_line_each_and_hold_no_secret(mintmark, audit, recorded, tmp_path):
    recorded("b.png", "--workflow", 'comma, "quote"; and more', seed=2)

    lines = mintmark("export", "--all", "--format", "jsonl", "--to", "-").out.splitlines()
    assert mintmark("export", "--all", "--format", "csv", "--to", "rows.csv").status == 0

    assert len(lines) == 2 and all(json.loads(line) for line in lines)
    assert "secret bridge" not in "".join(lines)
    with (tmp_path / "rows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 and 'comma, "quote"; and more' in rows[1].values()


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_a_cell_that_a_spreadsheet_would_run_is_defused(mintmark, recorded, cell):
    recorded("a.png", "--workflow", cell)

    out = mintmark("export", "--all", "--format", "csv", "--to", "-").out

    assert f",{cell}," not in out and f',"{cell}",' not in out


AFTERWARDS = ["show @last", "search", "doctor", "lookup words", "lookup a.png", "key list", "tag @last a=b",
              "export --all --to after.zip", "export --all --format csv --to -", "index rebuild"]  # fmt: skip
TAMPERED = {
    "other kind": "UPDATE log_entry SET body = replace(CAST(body AS TEXT), 'generation', 'annotation')",
    "no leaf": "UPDATE log_entry SET body = x'00' WHERE idx = 1",
    "no hash": "UPDATE log_entry SET leaf_hash = 'text' WHERE idx = 1",
    "gap": "DELETE FROM log_entry WHERE idx = 0",
    "cut": "DELETE FROM log_entry WHERE idx = 1",
    "record": "UPDATE record SET body = replace(CAST(body AS TEXT), 'vendor', 'other') WHERE kind = 'generation'",
    "no JSON": "UPDATE record SET body = '{' WHERE kind = 'generation'",
    "signature": "UPDATE record SET signature = zeroblob(64) WHERE kind = 'generation'",
    "signer": "UPDATE record SET keyid = 'nobody' WHERE kind = 'generation'",
    "record gone": "DELETE FROM record WHERE kind = 'generation'",
    "smuggled in": "INSERT INTO record VALUES ('sha256:1', 'generation', '{}', 'k', 's')",
    "checkpoint": "UPDATE log_checkpoint SET note = replace(CAST(note AS TEXT), char(10) || '2', char(10) || '3')",
    "no checkpoint": "UPDATE log_checkpoint SET note = x'00'",
}


@pytest.mark.parametrize("statement", TAMPERED.values(), ids=TAMPERED)
def test_an_audit_of_the_log_finds_what_was_changed(mintmark, audit, tmp_path, statement):
    assert mintmark("log", "audit", "--trust", audit[1]).status == 0
    assert mintmark("log", "audit", "--json").json["ok"] is True
    with sqlite3.connect(tmp_path / ".mintmark" / "mintmark.db") as connection:
        guards = list(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
        for name, _ in guards:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement)
        for _, sql in guards:
            connection.execute(sql)
    connection.close()

    said = mintmark("log", "audit")

    assert said.status == 1, said
    for line in AFTERWARDS:
        mintmark(*line.split())  # whatever it answers, it is no internal error


def test_keys_are_listed_and_printed(mintmark, home):
    told = mintmark("key", "list", "--json").json

    assert {key["role"] for key in told["keys"]} == {"log", "recorder"}
    assert mintmark("key", "export").out.startswith(told["origin"])
    assert "PRIVATE" not in mintmark("key", "list").out + mintmark("key", "export").out


@pytest.fixture
def two(mintmark, recorded, tmp_path):
    """Two recorded pictures and the keys to trust; gives their manifests and the stored file of each."""
    ids, files = [], []
    for n in range(2):
        shown = mintmark("show", recorded(f"{n}.png", seed=n + 40), "--json").json
        ids.append(shown["id"])
        files.append(next(tmp_path.rglob(shown["manifest"]["outputs"][0]["digest"]["blake3"])))
    (tmp_path / "trust.txt").write_text(mintmark("key", "export").out)
    return ids, files


def test_a_lost_file_stops_an_export_and_is_named(mintmark, two, tmp_path):
    ids, files = two
    files[0].unlink()

    refused = mintmark("export", "--all", "--to", "b")

    assert refused.status == 1 and not (tmp_path / "b").exists()
    assert f"1 file lost, and no erasure took them: output 0 of {ids[0][7:19]}" in refused.err
    assert files[0].name in refused.err and "backup" in refused.err and "--no-assets" in refused.err


def test_a_bundle_without_files_says_so_whatever_is_lost(mintmark, two):
    two[1][0].unlink()

    told = mintmark("export", "--all", "--no-assets", "--to", "b")
    found = mintmark("verify", "b", "--trust", "trust.txt")

    assert (told.status, found.status) == (0, 0)
    assert "0 of 2 assets are here and match, 2 not carried by this bundle (the bundle carries no files)" in found.out


def test_erased_files_are_no_loss_and_are_counted(mintmark, two):
    assert mintmark("erase", two[0][0], "--asset", "--reason", "r", "--authority", "x").status == 0

    told = mintmark("export", "--all", "--to", "b")
    found = mintmark("verify", "b", "--trust", "trust.txt")

    assert (told.status, found.status) == (0, 0)
    assert "1 erased asset left out" in told.out
    assert "1 of 2 assets are here and match, 1 erased" in found.out


def test_erased_and_sealed_digests_are_told_apart(mintmark, tmp_path, two):
    for name in ("one", "two"):
        (tmp_path / f"{name}.txt").write_text(f"Good morning to {name} of you who came.")
        made = mintmark("record", f"{name}.txt", "--provider", "openai", "--model", "whisper-1")
        assert made.status == 0, made.err
    assert mintmark("erase", "@last", "--asset", "--reason", "r", "--authority", "x").status == 0

    told = mintmark("export", "--all", "--to", "b")
    found = mintmark("verify", "b", "--trust", "trust.txt")

    assert "1 erased asset left out" in told.out
    assert "2 of 2 assets are here and match, 1 erased, 1 under a sealed digest" in found.out
