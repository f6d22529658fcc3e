"""``show``, ``get``, ``search``, ``lookup``, ``tag``, ``review``, ``index``: answers, misses, and their exit codes."""

import hashlib
import json
import os
from importlib import resources

import pytest

UNKNOWN = "sha256:" + "0" * 64


@pytest.mark.parametrize("form", ["{}", "{0:.19}", "@last"])
def test_a_generation_is_named_by_id_prefix_or_last(mintmark, recorded, form):
    manifest = recorded()

    for name in (form.format(manifest), form.format(manifest).removeprefix("sha256:")):
        assert mintmark("show", name).out.startswith(manifest)


def test_bad_names_are_told_apart(mintmark, recorded):
    recorded()

    assert mintmark("show", "0123456").status == 2, "too short a prefix"
    assert mintmark("show", "not-an-id").status == 2
    assert mintmark("show", "A" * 12).status == 2
    assert mintmark("show", "").status == 2
    assert mintmark("show", "0" * 65).status == 2
    assert mintmark("show", UNKNOWN).status == 1
    assert mintmark("show", "0" * 8).status == 1


def test_an_ambiguous_prefix_is_refused(mintmark, recorded, monkeypatch):
    monkeypatch.setattr("registry.catalog.store.SHORTEST_PREFIX", 0)
    ids = [recorded(f"{n}.png", seed=n) for n in range(3)]

    said = mintmark("show", "sha256:")

    assert said.status == 2 and "3 records begin like this" in said.err
    assert len(set(ids)) == 3


def test_show_json_fits_its_schema(mintmark, recorded):
    first = recorded("a.png", "--prompt", "p", "--label", "app=x")
    mintmark("tag", first, "golden=true")
    mintmark("review", first, "--unusable", "--reason", "six fingers", "--minutes", "2.5", "--cost", "1.20EUR")

    shown = mintmark("show", first, "--json").json

    schema = json.loads(resources.files("schemas").joinpath("view/v1.schema.json").read_text())
    manifest = json.loads(resources.files("schemas").joinpath("manifest/v1.schema.json").read_text())
    assert shown["tags"] == {"golden": "true"} and shown["reviews"][0]["reason"] == "six fingers"
    assert set(shown) == set(schema["properties"])
    assert set(shown["manifest"]) == set(manifest["properties"])


def test_show_manifest_prints_the_signed_bytes(mintmark, recorded):
    manifest = recorded("a.png", "--prompt", "a secret")

    raw = mintmark("show", manifest, "--manifest").out

    assert "sha256:" + hashlib.sha256(raw.rstrip("\n").encode()).hexdigest() == manifest
    assert "a secret" not in raw


def test_lineage_goes_both_ways(mintmark, recorded):
    parent = recorded("a.png")
    child = recorded("b.png", "--parent", f"edit={parent}", seed=2)

    assert child in mintmark("show", parent, "--lineage").out
    assert parent in mintmark("show", child, "--lineage").out


def test_get_writes_exactly_the_bytes_wherever_it_may(mintmark, recorded, tmp_path):
    manifest = recorded()
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "folder").mkdir()
    (tmp_path / "old.png").write_bytes(b"old")

    for target, written in (
        ("new.png", "new.png"),
        ("old.png", "old.png"),
        ("folder", None),
        ("folder/x.png", "folder/x.png"),
    ):
        said = mintmark("get", manifest, "--to", target, "--force")

        assert said.status == 0, said.err
        path = tmp_path / (written or said.out.split("  ")[0])
        assert path.read_bytes() == data
    assert [path.suffix for path in (tmp_path / "folder").iterdir() if path.name != "x.png"] == [".png"]
    assert not [
        path for path in tmp_path.rglob(".*") if path.name not in (".mintmark",) and ".mintmark" not in path.parts
    ]


def test_get_names_what_it_cannot_do(mintmark, recorded, tmp_path):
    manifest = recorded("a.png", "--input", f"mask={tmp_path / 'a.png'}")
    (tmp_path / "file").write_text("x")

    assert mintmark("get", manifest, "--to", "no/such/folder/x.png").status == 2
    assert mintmark("get", manifest, "--to", "file/x.png").status == 2
    assert mintmark("get", manifest, "--role", "depth", "--to", "x").status == 1
    assert "it has image, mask" in mintmark("get", manifest, "--role", "depth", "--to", "x").err
    assert mintmark("get", manifest, "--role", "mask", "--to", "mask.png").status == 0
    assert mintmark("get", UNKNOWN, "--to", "x").status == 1
    assert mintmark("get", "blake3:" + "0" * 64, "--to", "x").status == 1
    assert mintmark("get", "blake3:zz", "--to", "x").status == 2
    assert mintmark("get", manifest, "--to", "x" * 300).status in (2, 3)


def test_an_altered_asset_is_never_handed_out_as_the_recorded_one(mintmark, recorded, tmp_path):
    manifest = recorded()
    stored = next(path for path in (tmp_path / ".mintmark" / "assets").rglob("*") if path.is_file())
    os.chmod(stored, 0o644)
    stored.write_bytes(stored.read_bytes()[:-1] + b"?")

    said = mintmark("get", manifest, "--to", "x.png")

    assert said.status == 1 and "was altered" in said.err
    assert not (tmp_path / "x.png").exists()


def test_search_pages_by_cursor_without_gap_or_repeat(mintmark, recorded):
    ids = [recorded(f"{n}.png", "--label", f"n={n}", seed=n) for n in range(5)]

    seen, cursor = [], []
    while True:
        page = mintmark("search", "--limit", "2", "--json", *cursor).json
        seen += [row["id"] for row in page["generations"]]
        if page["next_cursor"] is None:
            break
        cursor = ["--cursor", page["next_cursor"]]
        if len(seen) == 2:
            recorded("late.png", seed=99)

    assert seen == ids[::-1]


@pytest.mark.parametrize(
    "options",
    [
        ("--cursor", "nonsense"),
        ("--cursor", ""),
        ("--cursor", "bnVsbA"),
        ("--cursor", "é"),
        ("--limit", "0"),
        ("--limit", "1001"),
        ("--limit", "many"),
        ("--since", "soon"),
        ("--since", "-7d"),
        ("--until", "2026-02-30"),
        ("--label", "no-equals"),
        ("--label", "Upper=x"),
    ],
    ids=" ".join,
)
def test_a_bad_condition_is_a_usage_error(mintmark, home, options):
    assert mintmark("search", *options).status == 2


def test_search_finds_by_every_condition_and_says_when_nothing_fits(mintmark, recorded):
    manifest = recorded("a.png", "--prompt", "stone bridge in fog", "--label", "app=x", "--workflow", "hero")
    fitting = [("--prompt", "FOG bridge"), ("--label", "app=x"), ("--workflow", "hero"), ("--provider", "vendor"),
               ("--model", "m-1"), ("--operation", "image.generate"), ("--status", "succeeded"), ("--since", "1h"),
               ("--until", "2126-01-01"), ()]  # fmt: skip
    others = [("--prompt", "fog tunnel"), ("--label", "app=y"), ("--workflow", "her"), ("--provider", "vend"),
              ("--status", "blocked"), ("--until", "1h"), ("--since", "2126-01-01")]  # fmt: skip

    for options in fitting:
        assert [row["id"] for row in mintmark("search", "--json", *options).json["generations"]] == [manifest], options
    for options in others:
        said = mintmark("search", *options)
        assert said.status == 1 and "nothing fits" in said.err, options


@pytest.mark.parametrize(
    ("query", "why"),
    [
        (".", ". is a folder"),
        *((name, f"no such file: {name}") for name in ("no/such/file.png", "nofile.jpg", "./nofile")),
    ],
)
def test_a_mistyped_path_is_no_miss(mintmark, recorded, query, why):
    recorded("a.png")

    said = mintmark("lookup", query)

    assert said.status == 2 and why in said.err


def test_lookup_answers_with_its_exit_code_in_text_and_json(mintmark, recorded, picture, tmp_path):
    manifest = recorded("a.png", "--prompt", "stone bridge in fog")
    stranger = picture("other.png", seed=40)
    text = tmp_path / "notes.bin"
    text.write_bytes(bytes(range(256)) * 9)

    answers = [(tmp_path / "a.png", 0), (manifest, 0), (manifest[7:19], 0), ("stone fog", 4)]
    answers += [(nothing, 1) for nothing in (stranger, text, UNKNOWN, "no such words")]
    for query, status in answers:
        said, told = mintmark("lookup", query), mintmark("lookup", query, "--json")

        assert (said.status, told.status) == (status, status), (query, said)
        assert told.json["sureness"] == {0: "match", 4: "candidates", 1: "nothing"}[status]
        if status == 1:
            assert "nothing found in 1 generation," in said.err and "no proof" in said.err
        else:
            assert told.json["hits"][0]["id"] == manifest


@pytest.mark.parametrize("query", ["sha256:xyz", "blake3:12", "sha256:" + "A" * 63 + "!", "sha256:", "blake3:"])
def test_lookup_of_what_is_no_digest_is_a_usage_error(mintmark, home, query):
    assert mintmark("lookup", query).status == 2


def test_tags_are_added_changed_and_taken_away(mintmark, recorded):
    manifest = recorded("a.png", "--label", "app=x")

    assert mintmark("tag", manifest, "golden=true", "by=ann").status == 0
    assert mintmark("tag", manifest, "golden=false", "--json").json["tags"] == {"by": "ann", "golden": "false"}
    assert mintmark("tag", manifest, "by=").status == 0

    assert mintmark("show", manifest, "--json").json["tags"] == {"golden": "false"}
    assert mintmark("search", "--label", "golden=false").status == 0
    assert mintmark("search", "--label", "by=ann").status == 1
    assert mintmark("search", "--label", "app=x").status == 0


def test_bad_tags_and_reviews_are_refused(mintmark, recorded):
    recorded()

    for tags in (["plain"], ["Upper=x"], ["=x"], ["k=" + "v" * 257], []):
        assert mintmark("tag", "@last", *tags).status == 2, tags
    for options in ([], ["--usable", "--minutes", "-1"], ["--usable", "--minutes", "many"], ["--usable", "--cost", "x"],
                    ["--usable", "--minutes", "1e3"]):  # fmt: skip
        assert mintmark("review", "@last", *options).status == 2, options
    assert mintmark("tag", "0" * 8, "a=b").status == 1
    assert mintmark("review", "0" * 8, "--usable").status == 1
    assert mintmark("log", "audit").out.startswith("2 entries")


def test_a_trust_file_that_is_no_text_is_refused(mintmark, recorded, tmp_path):
    recorded()
    trust = tmp_path / "trust.bin"
    trust.write_bytes(b"\xff\xfe")

    said = mintmark("log", "audit", "--trust", trust)

    assert (said.status, "UTF-8" in said.err) == (2, True)


def test_the_index_can_be_thrown_away_and_says_how_far_it_is(mintmark, recorded):
    recorded("a.png", "--prompt", "stone bridge")
    assert mintmark("index", "status", "--json").json == {"records": 2, "indexed": 0, "generations": 0}

    assert "indexed 2 records" in mintmark("index", "rebuild").out
    assert "indexed 2 records" in mintmark("index", "rebuild").out

    assert mintmark("index", "status", "--json").json == {"records": 2, "indexed": 2, "generations": 1}
    assert mintmark("lookup", "stone").status == 4


def test_last_is_the_newest_original_and_never_a_replay(mintmark):
    mintmark("generate", "--provider", "procedural", "--model", "procedural-image@1", "--setting", "width=64")
    before = mintmark("show", "@last", "--json").json["id"]
    mintmark("replay", "@last", "--model", "procedural-image@2")

    assert mintmark("show", "@last", "--json").json["id"] == before


def test_a_report_never_overwrites_what_is_no_report(mintmark, picture, tmp_path):
    one, other = picture("a.png", seed=1), picture("b.png", seed=2)
    before = one.read_bytes()

    said = mintmark("compare", one, other, "-o", one)

    assert said.status == 2 and "is no report" in said.err
    assert one.read_bytes() == before


def test_a_lost_catalog_or_vault_is_noticed(mintmark, recorded, tmp_path):
    recorded("a.png")
    home = tmp_path / ".mintmark"
    vault = home / "vault.db"
    vault.rename(tmp_path / "kept.db")

    unwell = mintmark("doctor")
    (tmp_path / "kept.db").rename(vault)
    for file in home.glob("mintmark.db*"):
        file.unlink()
    second = mintmark("record", tmp_path / "a.png", "--provider", "p", "--model", "m")

    assert unwell.status == 1 and "vault.db is empty" in unwell.out
    assert second.status == 3 and "second history" in second.err
